/** Binds a thread to a machine: the arena, the protocol, and every choice that the plan makes. */

import { Cpu } from '#arch/cpu';
import { configureShootdown } from '#arch/interrupts';
import { configurePwc } from '#arch/tlb';
import { bindArena, boundMap } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { CONTROL, SCAN_CONSENT } from '#arena/layout/control';
import type { Geometry } from '#arena/map';
import { peek, poke } from '#arena/word';
import { assert } from '#base/assert';
import { configureChoices } from '#mm/choices';
import { Mm } from '#mm/mm';
import { configureGather, TABLE_FREE } from '#mm/mmu-gather';
import { bindPages, initializePages } from '#mm/page-alloc';
import { configurePagePins } from '#mm/page-state';
import { bindProtocol } from '#mm/reclaim-protocol';
import { allocTable, bindTables, initializeTables } from '#mm/table-alloc';
import { configureUserfaults } from '#mm/userfault-wait';
import { configureWalkers } from '#mm/walkers/reactions';
import { makeProtocol } from '#reclaim/registry';
import type { Op, Plan, Walker } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import { bindLockStat, lockStatCalibrate } from '#sync/lock-stat';
import { configureRcu, rcuInitialize } from '#sync/rcu';
import { configureSpinlocks } from '#sync/spinlock';
import { bindTracing } from '#trace/tracing';
import { lockClassesWith } from '#trace/vocabulary';

/** Everything a thread needs to act as a CPU of the machine that `plan` describes. */
export interface Machine {
  readonly plan: Plan;
  readonly mm: Mm;
  /** First page of each region. */
  readonly regionStarts: readonly number[];
}

/** Binds this thread; `spins` bounds busy waiting. Exploration passes 0. */
export function bindMachine(
  buffer: SharedArrayBuffer,
  geometry: Geometry,
  plan: Plan,
  spins: number,
): Machine {
  bindArena(buffer, geometry, spins);
  configureSpinlocks(lockClassesWith(plan.locks, 'ticket'), lockClassesWith(plan.locks, 'mcs'));
  configureRcu(plan.rcu === 'announced', plan.rcu === 'abstract');
  configureChoices(plan.reschedPerMillion, plan.allocFailPerMillion);
  configureGather(plan.gatherBatch, TABLE_FREE[plan.gatherFallback]);
  configureWalkers(plan.walkerReactions === 'as-posted');
  configurePwc(plan.pwcFlush === 'range');
  configureShootdown(plan.shootdown === 'broadcast');
  configureUserfaults(plan.cpus);
  configurePagePins([plan.setup, ...plan.columns].flat().some(referencesPages));
  bindLockStat();
  bindTracing();
  bindPages();
  bindTables();
  bindProtocol(makeProtocol(plan.protocol, plan.options));
  return { plan, mm: new Mm(plan.splitLocks), regionStarts: regionStarts(plan) };
}

/** Boot, on CPU 0 and before all others: an empty address space on zeroed memory. */
export function bootMachine(cpu: Cpu, machine: Machine): void {
  const { plan, mm } = machine;
  rcuInitialize();
  initializePages();
  initializeTables();
  const pgd = allocTable(cpu, mm.topLevel);
  assert(pgd !== 0, 'there is memory for the top-level table');
  Mm.initialize(pgd);
  poke(CONTROL.scanDelay, Number(plan.options['delayMs'] ?? 0));
  poke(CONTROL.scanSlots, Math.max(1, Number(plan.options['sizePages'] ?? 0) >> plan.ptrsShift));
  poke(CONTROL.scanSwitch, plan.options['process'] === 'off' ? 0 : 1);
  const opt = String(plan.options['opt'] ?? 'all') as keyof typeof SCAN_CONSENT;
  poke(CONTROL.scanConsent, SCAN_CONSENT[opt]);
  poke(CONTROL.scanGuided, plan.options['guided'] === 'counts' ? 1 : 0);
  // The first return to user space only sets the time of the first scan.
  poke(CONTROL.scanNext, (nowMs() + peek(CONTROL.scanDelay)) | 0);
}

/** A CPU of the bound machine. */
export function makeCpu(id: number, seed: number): Cpu {
  assert(id < boundMap().geometry.cpus, `CPU ${id} has a block`);
  const cpu = new Cpu(id, seed);
  lockStatCalibrate(cpu);
  return cpu;
}

const PINNERS: readonly Walker[] = ['gup', 'gup-fast', 'gup-fast-only', 'migrate'];

/** Whether an operation references or locks pages beside the ptl: GUP, reclaim, migration. */
function referencesPages(op: Op): boolean {
  if (op.op === 'walk') return PINNERS.includes(op.walker);
  if (op.op === 'madvise') return op.advice === 'pageout';
  if (op.op === 'mix') return op.choices.some((choice) => choice.do.some(referencesPages));
  return 'do' in op ? op.do.some(referencesPages) : op.op === 'reclaim';
}
