/**
 * For tests: a small machine on this thread. Its CPUs are driven one after another, and a gate
 * takes the place of real parallelism: `meanwhile` lets another CPU act at a chosen passage, and a
 * wait that nobody could end is an error instead of a hang.
 */

import { becomeActor, type Cpu } from '#arch/cpu';
import { enterMm, interruptPoint } from '#arch/interrupts';
import { type Pmd, pmdTable, pmdTablePresent } from '#arch/pmd';
import { bodyAt, ptdescAt, vmaAt } from '#arena/arena';
import { type CpuRef, GATE, GATE_NAMES, type Gate, setGate } from '#arena/gate';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { PAGE } from '#arena/layout/page';
import { ACTORS_MAX, FACT_RECORD, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import { protocolWords } from '#arena/layout/protocol-words';
import { PTDESC } from '#arena/layout/ptdesc';
import { type ArenaMap, arenaMap, type Geometry } from '#arena/map';
import { peek, type Words } from '#arena/word';
import { counter } from '#machine/harvest';
import { madviseDontneed } from '#mm/madvise';
import type { Mm } from '#mm/mm';
import { exitMmap, mmapRegion, munmap } from '#mm/mmap';
import { rcuDrain } from '#mm/rcu-free';
import { boundProtocol } from '#mm/reclaim-protocol';
import { userLoad, userStore } from '#mm/user-access';
import type { Plan } from '#scenario/plan';
import { rcuBoundary, rcuOffline, rcuOnline } from '#sync/rcu';
import { COUNTERS, type CounterName } from '#trace/counters';
import { FACTS } from '#trace/fact';
import { ACTOR, ACTORS, RACES } from '#trace/vocabulary';
import { bindMachine, bootMachine, type Machine, makeCpu } from './bind.ts';

/** Eight entries per table, four levels: 4096 pages of address space. */
export const GEOMETRY: Geometry = {
  cpus: 3,
  ptrsShift: 3,
  levels: 4,
  tables: 400,
  bodies: 900,
  pages: 700,
  vmas: 40,
  gatherPages: 64,
  batch: 4,
  backing: 'fixed',
};

/** A complete plan for machines of `GEOMETRY`. */
export function planOf(changes: Partial<Plan> = {}): Plan {
  return {
    scenario: 'test',
    seed: 1,
    cpus: GEOMETRY.cpus,
    protocol: 'none',
    options: {},
    broken: null,
    parameters: {},
    ptrsShift: GEOMETRY.ptrsShift,
    levels: GEOMETRY.levels,
    pageFrames: 0,
    tableFrames: 0,
    backing: 'fixed',
    locks: { ptl: 'ttas', pml: 'ttas', 'page-table': 'ttas', zone: 'ttas' },
    splitLocks: true,
    rcu: 'qsbr',
    lockStat: false,
    traceEvents: 0,
    noise: 0,
    gatherPages: GEOMETRY.gatherPages,
    gatherBatch: 500,
    gatherFallback: 'rcu',
    allocFailPerMillion: 0,
    walkerReactions: 'fixed',
    pwcFlush: 'all',
    scheduler: 'fair',
    shootdown: 'ipi',
    reschedPerMillion: 0,
    ownership: 'interleaved',
    regions: [],
    setup: [],
    columns: [],
    durationMs: null,
    opsMax: null,
    expectations: [],
    outcomes: [],
    ...changes,
  };
}

/** In place of a kind of passage: any of those that take a lock. */
const TAKING = -1;
const TAKES: readonly number[] = [GATE.acquire, GATE.compareExchange];

interface Scene {
  readonly cpu: number;
  readonly op: number;
  readonly at: number;
  readonly act: () => void;
}

/** The gate of a machine on one thread. */
class Stage implements Gate {
  readonly scenes: Scene[] = [];
  private readonly cpus: readonly Cpu[];

  constructor(cpus: readonly Cpu[]) {
    this.cpus = cpus;
  }

  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    if (this.scenes.length > 0) this.playFirst(cpu.id, op, at);
    if (op !== GATE.wait || peek(at) !== seen) return false;
    const asked = this.cpus.some(({ block }) => at === block + PERCPU.rcuAnswered);
    if (at === CONTROL.rcuEpoch || asked) this.passBoundaries(cpu.id);
    this.serveInterrupts(cpu.id);
    if (peek(at) === seen)
      throw new Error(`CPU ${cpu.id} would wait for ever while word ${at} is ${seen}`);
    return false;
  }

  private playFirst(cpu: number, op: number, at: number): void {
    const i = this.scenes.findIndex(
      (scene) =>
        scene.cpu === cpu &&
        scene.at === at &&
        (scene.op === op || (scene.op === TAKING && TAKES.includes(op))),
    );
    if (i >= 0) this.scenes.splice(i, 1)[0]!.act();
  }

  /** All other CPUs come to a point at which they can be interrupted. */
  private serveInterrupts(waiter: number): void {
    for (const cpu of this.cpus) if (cpu.id !== waiter) interruptPoint(cpu);
  }

  /** All other CPUs that are in no read section pass an operation boundary. */
  private passBoundaries(waiter: number): void {
    for (const cpu of this.cpus) {
      const online =
        peek(cpu.block + PERCPU.rcuSeen) !== 0 || peek(cpu.block + PERCPU.rcuAnswered) !== 0;
      if (cpu.id !== waiter && online && peek(cpu.block + PERCPU.rcuNesting) === 0)
        rcuBoundary(cpu);
    }
  }
}

/** Buffers by size: V8 frees shared ones late, and properties boot hundreds of machines. */
const buffers = new Map<number, SharedArrayBuffer>();

function cleanBuffer(sizeWords: number): SharedArrayBuffer {
  const buffer = buffers.get(sizeWords) ?? new SharedArrayBuffer(4 * sizeWords);
  buffers.set(sizeWords, buffer);
  new Int32Array(buffer).fill(0);
  return buffer;
}

/** A booted machine, bound to this thread until the next one is made. */
export class TestMachine {
  readonly plan: Plan;
  readonly geometry: Geometry;
  readonly map: ArenaMap;
  readonly words: Words;
  readonly machine: Machine;
  readonly mm: Mm;
  readonly cpus: readonly Cpu[];
  private readonly stage: Stage;

  /** `booted`: false leaves the boot to whoever tests it. */
  constructor(plan: Partial<Plan> = {}, geometry: Partial<Geometry> = {}, booted = true) {
    setGate(null);
    this.plan = planOf(plan);
    this.geometry = {
      ...GEOMETRY,
      levels: this.plan.levels,
      ptrsShift: this.plan.ptrsShift,
      gatherPages: this.plan.gatherPages,
      backing: this.plan.backing,
      tableWords: protocolWords(this.plan.protocol).table,
      tableCpuWords: protocolWords(this.plan.protocol).tableCpu,
      ...geometry,
    };
    this.map = arenaMap(this.geometry);
    const buffer = cleanBuffer(this.map.sizeWords);
    this.words = new Int32Array(buffer);
    this.machine = bindMachine(buffer, this.geometry, this.plan, 0);
    this.mm = this.machine.mm;
    this.cpus = Array.from({ length: this.geometry.cpus }, (_, id) => makeCpu(id, 1));
    if (booted) bootMachine(this.cpus[0]!, this.machine);
    for (const cpu of this.cpus) becomeActor(cpu, ACTOR.access);
    this.stage = new Stage(this.cpus);
    setGate(this.stage);
    if (booted && this.plan.rcu !== 'announced') for (const cpu of this.cpus) rcuOnline(cpu);
    if (booted) for (const cpu of this.cpus) enterMm(cpu);
  }

  cpu(id: number): Cpu {
    return this.cpus[id]!;
  }

  /** Runs `act` once, at the next passage of `cpu` that is `op` on the word `at`. */
  meanwhile(cpu: number, op: keyof typeof GATE, at: number, act: () => void): void {
    this.stage.scenes.push({ cpu, op: GATE[op], at, act });
  }

  /** The same before it tries to take the lock word `at`, by whatever means. */
  beforeLock(cpu: number, at: number, act: () => void): void {
    this.stage.scenes.push({ cpu, op: TAKING, at, act });
  }

  /** Scenes asked for by `meanwhile` that have not been played. */
  unplayed(): string[] {
    return this.stage.scenes.map(({ cpu, op, at }) => `${cpu} ${GATE_NAMES[op] ?? 'lock'} ${at}`);
  }

  slotOf(page: number): number {
    return page >> this.geometry.ptrsShift;
  }

  indexOf(page: number): number {
    return page & ((1 << this.geometry.ptrsShift) - 1);
  }

  store(cpu: number, page: number, value: number): number {
    return userStore(this.cpu(cpu), this.mm, this.slotOf(page), this.indexOf(page), value);
  }

  load(cpu: number, page: number): number {
    return userLoad(this.cpu(cpu), this.mm, this.slotOf(page), this.indexOf(page));
  }

  mmap(cpu: number, start: number, end: number, flags = 0): void {
    const { slotOf, indexOf } = this;
    mmapRegion(
      this.cpu(cpu),
      this.mm,
      slotOf.call(this, start),
      indexOf.call(this, start),
      slotOf.call(this, end),
      indexOf.call(this, end),
      flags,
    );
  }

  munmap(cpu: number, start: number, end: number): void {
    const [from, to] = [this.slotOf(start), this.slotOf(end)];
    munmap(this.cpu(cpu), this.mm, from, this.indexOf(start), to, this.indexOf(end));
  }

  dontneed(cpu: number, start: number, end: number): void {
    const [from, to] = [this.slotOf(start), this.slotOf(end)];
    madviseDontneed(this.cpu(cpu), this.mm, from, this.indexOf(start), to, this.indexOf(end));
  }

  /** One scanner pass over up to `slots` slots, by default all of them. */
  scan(cpu: number, slots = 1 << 20): number {
    return boundProtocol().scan(this.cpu(cpu), this.mm, slots);
  }

  /** Memory is short; the tables unhooked. */
  pressure(cpu: number): number {
    return boundProtocol().pressure(this.cpu(cpu), this.mm);
  }

  /** Lets every callback run, and the CPUs end up offline. */
  settle(): void {
    for (const cpu of this.cpus) rcuOffline(cpu);
    for (const cpu of this.cpus) {
      rcuDrain(cpu);
      rcuOffline(cpu);
    }
  }

  /** The end of the process and of all callbacks. */
  exit(): void {
    exitMmap(this.cpu(0), this.mm);
    this.settle();
  }

  counter(name: CounterName): number {
    return counter(this.words, this.map, name);
  }

  /** All counters that are not zero. */
  counters(): Partial<Record<CounterName, number>> {
    const found = COUNTERS.map((name) => [name, this.counter(name)] as const);
    return Object.fromEntries(found.filter(([, n]) => n !== 0));
  }

  /** The race matrix as `kind: noticedBy <- causedBy` and count. */
  races(): Record<string, number> {
    const races: Record<string, number> = {};
    for (const { block } of this.cpus)
      for (const [kind, name] of RACES.entries())
        for (const [by, noticedBy] of ACTORS.entries())
          for (const [of, causedBy] of ACTORS.entries()) {
            const n = peek(block + PERCPU.races + (kind * ACTORS_MAX + by) * ACTORS_MAX + of);
            const key = `${name}: ${noticedBy} <- ${causedBy}`;
            if (n !== 0) races[key] = (races[key] ?? 0) + n;
          }
    return races;
  }

  /** Names of the facts noted, CPU by CPU. */
  facts(): string[] {
    return this.cpus.flatMap(({ block }) => {
      const count = Math.min(peek(block + PERCPU.factCount), FACTS_MAX);
      return Array.from({ length: count }, (_, i) => {
        const at = block + PERCPU.facts + i * FACT_RECORD.sizeWords;
        return FACTS[peek(at + FACT_RECORD.kind)]!;
      });
    });
  }

  /** Words a to e of the first fact. */
  factWords(cpu = 0): number[] {
    const at = this.cpu(cpu).block + PERCPU.facts + FACT_RECORD.a;
    return Array.from({ length: 5 }, (_, i) => peek(at + i));
  }

  nrPtes(): number {
    return peek(this.map.mm + MM.nrPtes);
  }

  nrPmds(): number {
    return peek(this.map.mm + MM.nrPmds);
  }

  nrPuds(): number {
    return peek(this.map.mm + MM.nrPuds);
  }

  /** The VMAs in map order, as [start page, end page, flags]. */
  vmas(): [start: number, end: number, flags: number][] {
    const map = this.map.vmaMaps + peek(this.map.mm + MM.vmaMap) * this.map.vmaMapWords;
    const ptrs = 1 << this.geometry.ptrsShift;
    return Array.from({ length: peek(map) }, (_, i) => {
      const at = vmaAt(peek(map + 1 + i));
      return [
        peek(at + VMA.startSlot) * ptrs + peek(at + VMA.startIndex),
        peek(at + VMA.endSlot) * ptrs + peek(at + VMA.endIndex),
        peek(at + VMA.flags),
      ];
    });
  }

  /** Tables by level that the top-level table leads to, found by a walk of the tree. */
  tree(): { ptes: Map<number, number>; pmds: number; puds: number } {
    const found = { ptes: new Map<number, number>(), pmds: 0, puds: 0 };
    const shift = this.geometry.ptrsShift;
    const visit = (table: number, level: number, base: number): void => {
      const body = bodyAt(peek(ptdescAt(table) + PTDESC.body));
      for (let i = 0; i < 1 << shift; i++) {
        const entry = peek(body + i) as Pmd;
        if (!pmdTablePresent(entry)) continue;
        const slot = base + (i << ((level - 1) * shift));
        if (level === 1) found.ptes.set(slot, pmdTable(entry));
        else {
          found[level === 2 ? 'pmds' : 'puds']++;
          visit(pmdTable(entry), level - 1, slot);
        }
      }
    };
    visit(peek(this.map.mm + MM.pgd), this.geometry.levels - 1, 0);
    return found;
  }

  /** The PTE of `page`, or 0 where there is no table. */
  pte(page: number): number {
    const table = this.tree().ptes.get(this.slotOf(page));
    if (table === undefined) return 0;
    return peek(bodyAt(peek(ptdescAt(table) + PTDESC.body)) + this.indexOf(page));
  }

  /** Frames that are neither on the shared free list nor in a CPU's cache. */
  inUse(kind: 'tables' | 'bodies' | 'pages'): number {
    const { ptdescs, owners, pages, pcp } = this.map;
    const lists = {
      tables: {
        ...{ head: CONTROL.tableHead, fresh: CONTROL.tableFresh, count: PERCPU.tableCount },
        ...{ traps: 1, link: (frame: number) => ptdescAt(frame) + PTDESC.use },
        cache: PERCPU.tables,
      },
      bodies: {
        ...{ head: CONTROL.bodyHead, fresh: CONTROL.bodyFresh, count: PERCPU.bodyCount },
        ...{ traps: 1, link: (frame: number) => owners + frame },
        cache: PERCPU.bodies,
      },
      pages: {
        ...{ head: CONTROL.zoneHead, fresh: CONTROL.zoneFresh, count: PERCPU.pageCount },
        ...{ traps: 2, link: (frame: number) => pages + 2 * frame + PAGE.content },
        cache: pcp,
      },
    };
    const { head, fresh, count, traps, link, cache } = lists[kind];
    const free = new Set<number>();
    const add = (frame: number): void => {
      if (free.has(frame)) throw new Error(`frame ${frame} of ${kind} is free twice`);
      free.add(frame);
    };
    for (let frame = peek(head); frame !== 0; frame = peek(link(frame))) add(frame);
    for (const { block } of this.cpus)
      for (let i = 0; i < peek(block + count); i++) add(peek(block + cache + i));
    if (ptdescs === 0) throw new Error('the map is not bound');
    return peek(fresh) - traps - free.size;
  }
}
