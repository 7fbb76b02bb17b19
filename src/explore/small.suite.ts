/** Small machines and plans that make the lives of one table meet, for the tests of this room. */

import { expect } from 'vitest';
import { protocolWords } from '#arena/layout/protocol-words';
import type { Geometry } from '#arena/map';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, TorturedLock } from '#scenario/plan';
import type { Execution } from './execution.ts';
import { SteppedMachine } from './stepped-machine.ts';
import { loadSteppedTree } from './stepped-tree.ts';
import { RandomStrategy } from './strategies/random.ts';

/** Four entries per table, and batches so small that frames wander from CPU to CPU. */
export const TINY: Geometry = {
  cpus: 2,
  ptrsShift: 2,
  levels: 3,
  tables: 32,
  bodies: 48,
  pages: 32,
  vmas: 8,
  gatherPages: 2,
  batch: 1,
  backing: 'fixed',
};

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const TOUCH = { op: 'touch', access: 'write', pages: 'every', ...WHOLE } as const;
const DONTNEED = { op: 'dontneed', ...WHOLE } as const;
const SCAN = { op: 'scan', untilIdle: false } as const;

/** A bit of everything, at random places. */
export const MIX: Op = {
  op: 'mix',
  times: 4,
  choices: [
    { weight: 3, do: [{ ...TOUCH, extent: 'slot' }] },
    { weight: 2, do: [{ ...TOUCH, access: 'read', extent: 'part' }] },
    { weight: 3, do: [{ ...DONTNEED, extent: 'slot' }] },
    { weight: 2, do: [{ ...DONTNEED, extent: 'part' }] },
    { weight: 1, do: [{ op: 'punch', percent: 50, ...WHOLE }] },
    { weight: 1, do: [{ op: 'munmap', ...WHOLE, extent: 'part' }] },
    { weight: 1, do: [mapOf(0)] },
    { weight: 2, do: [SCAN] },
  ],
};

/** Names the columns after what they make meet; one slot, two CPUs. */
export const PLANS = {
  /** A fault against the zap that reclaims. */
  faultVsZap: plan('pt-reclaim', [[times(2, TOUCH)], [times(2, DONTNEED)]]),
  /** Two zaps of one table, one of them on its slow path. */
  zapVsZap: plan('pt-reclaim', [[times(2, TOUCH, DONTNEED)], [times(2, TOUCH, DONTNEED)]]),
  /** A fault against the scanner. */
  faultVsScanner: plan('async-scanner', [[times(2, TOUCH, DONTNEED)], [times(4, SCAN)]]),
  /** Two scanners, so that a table can be replaced between a look and the locks. */
  scannerVsScanner: plan('async-scanner', [[times(2, TOUCH, DONTNEED, SCAN)], [times(3, SCAN)]]),
};

/** Torture of RCU itself; settings may differ. */
export function rcuTorture(more: Partial<Plan> = {}): Plan {
  const column = (role: 'reader' | 'writer') => [times(10, { op: 'rcutorture', role })];
  return plan('none', [column('reader'), column('writer')], more);
}

/** Torture of one kind of lock. */
export function lockTorture(lock: TorturedLock): Plan {
  const column = [times(5, { op: 'locktorture', lock })];
  return plan('none', [column, column]);
}

/** A plan for one CPU per column. */
export function plan(
  protocol: string,
  columns: readonly (readonly Op[])[],
  more: Partial<Plan> = {},
): Plan {
  return {
    scenario: 'small',
    seed: 1,
    cpus: columns.length,
    protocol,
    // Scans are the plan's own operations.
    options: { where: 'kthread', delayMs: 0, sizePages: 64 },
    broken: null,
    parameters: {},
    ptrsShift: TINY.ptrsShift,
    levels: TINY.levels,
    pageFrames: 0,
    tableFrames: 0,
    backing: 'fixed',
    locks: { ptl: 'ttas', pml: 'ttas', 'page-table': 'ttas', zone: 'ttas' },
    splitLocks: true,
    rcu: 'qsbr',
    lockStat: false,
    traceEvents: 0,
    noise: 0,
    gatherPages: TINY.gatherPages,
    gatherBatch: 500,
    gatherFallback: 'rcu',
    allocFailPerMillion: 0,
    walkerReactions: 'fixed',
    pwcFlush: 'all',
    scheduler: 'fair',
    shootdown: 'ipi',
    reschedPerMillion: 0,
    ownership: 'interleaved',
    regions: [{ name: 'heap', pages: 1 << TINY.ptrsShift, flags: [], gapPages: 0 }],
    setup: [mapOf(0), TOUCH],
    columns,
    durationMs: null,
    opsMax: null,
    expectations: [],
    outcomes: [],
    ...more,
  };
}

export function times(n: number, ...ops: Op[]): Op {
  return { op: 'loop', times: n, do: ops };
}

/** The small machine on the living source, or on an edit of it. */
export async function machineFor(
  edit: LineEdit | null,
  small: Plan,
  stepsMax?: number,
): Promise<SteppedMachine> {
  const { stepped } = await treeRoots(edit);
  const { cpus, levels, backing, protocol } = small;
  const { table: tableWords, tableCpu: tableCpuWords } = protocolWords(protocol);
  const geometry = { ...TINY, cpus, levels, backing, tableWords, tableCpuWords };
  return new SteppedMachine(await loadSteppedTree(stepped), small, geometry, stepsMax);
}

/** A strategy for tests: one switch in ten steps. */
export function randomly(seed: number): RandomStrategy {
  return new RandomStrategy(seed, 100_000);
}

/** The first of so many random executions that ends in a violation; the others must end well. */
export function firstFailure(
  machine: SteppedMachine,
  seed: number,
  executions: number,
): Execution | null {
  const strategy = randomly(seed);
  for (let execution = 0; execution < executions; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts.length > 0) return found;
    expect(found.end).toBe('done');
  }
  return null;
}
