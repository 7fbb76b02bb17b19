/**
 * The conformance suite: what must be true of the memory manager whatever frees its empty PTE
 * tables. A protocol's own test holds only what is peculiar to it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ptdescAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { PTDESC, USE_COUNT_MASK } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import type { Plan } from '#scenario/plan';
import { rcuBacklog } from '#sync/rcu-callbacks';
import { planOf, TestMachine } from '#tasks/machine.suite';

/** When a protocol frees a table found empty; left out, the suite only knows what it may free. */
export interface Expected {
  readonly protocol: string;
  /** After a DONTNEED that covered its whole slot, within one VMA. */
  readonly dontneedFrees?: boolean;
  /** In a scanner pass. */
  readonly scanFrees?: boolean;
  /** Under memory pressure, tables that map nothing but the zero page included. */
  readonly pressureFrees?: boolean;
  /** With its last entry, by whatever means that goes. */
  readonly emptyFrees?: boolean;
  /** After a DONTNEED of any part of it, if that leaves no entry. */
  readonly partFrees?: boolean;
}

/** Pages in play: 20 slots, in two PMD tables. */
const FIRST = 64;
const PAGES = 160;
const PTRS = 8;

type Step =
  | { op: 'store' | 'load'; cpu: number; at: number }
  | { op: 'dontneed' | 'munmap' | 'mmap' | 'slots'; cpu: number; at: number; length: number }
  | { op: 'scan'; cpu: number }
  | { op: 'pressure'; cpu: number }
  | { op: 'readSlot'; cpu: number; slot: number };

const cpu = fc.nat(2);
const at = fc.nat(PAGES - 1);
const one = (op: 'store' | 'load'): fc.Arbitrary<Step> =>
  fc.record({ op: fc.constant(op), cpu, at });
const many = (op: 'dontneed' | 'munmap' | 'mmap'): fc.Arbitrary<Step> =>
  fc.record({ op: fc.constant(op), cpu, at, length: fc.integer({ min: 1, max: 50 }) });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: one('store') },
    { weight: 2, arbitrary: one('load') },
    { weight: 3, arbitrary: many('dontneed') },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('slots' as const),
        cpu,
        at: fc.nat(PAGES / PTRS - 1),
        length: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 1, arbitrary: many('munmap') },
    { weight: 1, arbitrary: many('mmap') },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('scan' as const), cpu }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('pressure' as const), cpu }) },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant('readSlot' as const),
        cpu,
        slot: fc.nat(PAGES / PTRS - 1),
      }),
    },
  ),
  { minLength: 1, maxLength: 80 },
);

/** What each page holds and which tables there must be, by the simplest means. */
class Model {
  readonly mapped = new Set<number>();
  /** Page -> value; 0 is the zero page. */
  readonly entries = new Map<number, number>();
  /**
   * Slots with a table if nothing is ever reclaimed, and by what the protocol is expected to free.
   */
  readonly populated = new Set<number>();
  readonly hooked = new Set<number>();
  readonly expected: Expected;

  constructor(expected: Expected) {
    this.expected = expected;
  }

  fill(page: number, value: number): void {
    this.entries.set(page, value);
    this.populated.add(Math.floor(page / PTRS));
    this.hooked.add(Math.floor(page / PTRS));
  }

  map(start: number, end: number): void {
    this.unmap(start, end);
    for (let page = start; page < end; page++) this.mapped.add(page);
  }

  /** A table goes with the last mapped page of its slot. */
  unmap(start: number, end: number): void {
    for (let page = start; page < end; page++) {
      this.mapped.delete(page);
      this.entries.delete(page);
    }
    for (const slot of this.populated) if (!this.hasMapped(slot)) this.populated.delete(slot);
    for (const slot of this.hooked) if (!this.hasMapped(slot)) this.hooked.delete(slot);
    this.freeEmpty();
  }

  dontneed(start: number, end: number): void {
    for (let page = start; page < end; page++) if (this.mapped.has(page)) this.entries.delete(page);
    this.freeEmpty();
    if (this.expected.dontneedFrees !== true) return;
    for (const slot of this.hooked)
      if (start <= slot * PTRS && end >= (slot + 1) * PTRS && this.isWhole(slot))
        this.hooked.delete(slot);
  }

  scan(): void {
    if (this.expected.scanFrees !== true) return;
    for (const slot of this.hooked)
      if (this.isWhole(slot) && !this.hasEntry(slot)) this.hooked.delete(slot);
  }

  /** The zero page goes with its table, and is found again by the next read. */
  pressure(): void {
    if (this.expected.pressureFrees !== true) return;
    for (const slot of this.hooked) {
      if (!this.isWhole(slot) || !this.isFreeable(slot)) continue;
      for (const page of this.pagesOf(slot)) this.entries.delete(page);
      this.hooked.delete(slot);
    }
  }

  withEntries(): number[] {
    return [...this.populated].filter((slot) => this.hasEntry(slot));
  }

  rss(): number {
    return [...this.entries.values()].filter((value) => value !== 0).length;
  }

  /** Slots with a mapped page in [start, end), and without entries. */
  emptyIn(start: number, end: number): number[] {
    const slots = new Set<number>();
    for (let page = start; page < end; page++)
      if (this.mapped.has(page)) slots.add(Math.floor(page / PTRS));
    return [...slots].filter((slot) => !this.hasEntry(slot));
  }

  private freeEmpty(): void {
    if (this.expected.emptyFrees !== true) return;
    for (const slot of this.hooked) if (!this.hasEntry(slot)) this.hooked.delete(slot);
  }

  private pagesOf(slot: number): number[] {
    return Array.from({ length: PTRS }, (_, i) => slot * PTRS + i);
  }

  private hasMapped(slot: number): boolean {
    return this.pagesOf(slot).some((page) => this.mapped.has(page));
  }

  private isWhole(slot: number): boolean {
    return this.pagesOf(slot).every((page) => this.mapped.has(page));
  }

  private isFreeable(slot: number): boolean {
    return !this.hasEntry(slot) || this.pagesOf(slot).every((page) => this.entries.get(page) === 0);
  }

  private hasEntry(slot: number): boolean {
    return this.pagesOf(slot).some((page) => this.entries.has(page));
  }
}

let stamp = 1;

function perform(machine: TestMachine, model: Model, step: Step): void {
  if (step.op === 'scan') {
    if (!hasHook(HOOK.scan)) return;
    machine.words[CONTROL.scanOffset] = 0;
    machine.scan(step.cpu);
    model.scan();
    return;
  }
  if (step.op === 'pressure') {
    if (!hasHook(HOOK.pressure)) return;
    machine.pressure(step.cpu);
    model.pressure();
    return;
  }
  if (step.op === 'readSlot') {
    const first = FIRST + step.slot * PTRS;
    for (let page = first; page < first + PTRS; page++) access(machine, model, step.cpu, page, -1);
    return;
  }
  if (!('length' in step)) {
    const value = step.op === 'store' ? ++stamp : -1;
    access(machine, model, step.cpu, FIRST + step.at, value);
    return;
  }
  const unit = step.op === 'slots' ? PTRS : 1;
  const start = FIRST + step.at * unit;
  const end = Math.min(start + step.length * unit, FIRST + PAGES);
  if (step.op === 'mmap') {
    machine.mmap(step.cpu, start, end);
    model.map(start, end);
  } else if (step.op === 'munmap') {
    machine.munmap(step.cpu, start, end);
    model.unmap(start, end);
  } else {
    machine.dontneed(step.cpu, start, end);
    model.dontneed(start, end);
    if (model.expected.partFrees !== true) return;
    const { ptes } = machine.tree();
    for (const slot of model.emptyIn(start, end)) expect(ptes.has(slot), `${slot}`).toBe(false);
  }
}

/** A store of `value`, or a load if that is negative. */
function access(machine: TestMachine, model: Model, id: number, page: number, value: number): void {
  const known = model.mapped.has(page) ? (model.entries.get(page) ?? 0) : -1;
  if (value < 0) expect(machine.load(id, page)).toBe(known);
  else expect(machine.store(id, page, value)).toBe(known < 0 ? -1 : 0);
  if (known >= 0) model.fill(page, value < 0 ? known : value);
}

/** What the machine says about itself agrees with the model. */
function compare(machine: TestMachine, model: Model, expected: Expected): void {
  const { ptes, pmds, puds } = machine.tree();
  expect(machine.counter('rss')).toBe(model.rss());
  expect(machine.inUse('pages')).toBe(model.rss());
  expect([machine.nrPtes(), machine.nrPmds(), machine.nrPuds()]).toEqual([ptes.size, pmds, puds]);
  for (const slot of model.withEntries()) expect(ptes.has(slot), `table ${slot}`).toBe(true);
  for (const slot of ptes.keys()) expect(model.populated.has(slot), `slot ${slot}`).toBe(true);
  if (expected.dontneedFrees !== undefined && expected.scanFrees !== undefined)
    expect([...ptes.keys()]).toEqual([...model.hooked].sort((a, b) => a - b));
  expect(machine.facts()).toEqual([]);
}

/**
 * After all callbacks: no frame is held by anything but the tree, and each table counts its
 * entries.
 */
function compareFrames(machine: TestMachine, model: Model): void {
  const { ptes, pmds, puds } = machine.tree();
  const filled = new Set(model.withEntries());
  const bodies = machine.plan.backing === 'on-demand' ? filled.size : ptes.size;
  expect(machine.inUse('tables')).toBe(1 + ptes.size + pmds + puds);
  expect(machine.inUse('bodies')).toBe(1 + puds + 2 * pmds + bodies);
  for (const [slot, table] of ptes) {
    const entries = [...model.entries.keys()].filter((page) => Math.floor(page / PTRS) === slot);
    expect(peek(ptdescAt(table) + PTDESC.use) & USE_COUNT_MASK).toBe(entries.length);
    if (machine.plan.backing === 'on-demand')
      expect(peek(ptdescAt(table) + PTDESC.body) !== 0).toBe(entries.length > 0);
  }
}

/** Settings under which every protocol must behave the same. */
const SETTINGS: Record<string, Partial<Plan>> = {
  'split locks, fixed bodies': {},
  'shared lock, fixed bodies': { splitLocks: false },
  'split locks, bodies on demand': { backing: 'on-demand' },
  'shared lock, bodies on demand': { splitLocks: false, backing: 'on-demand' },
  'a small gather and a busy scheduler': { gatherPages: 3, reschedPerMillion: 60_000 },
  'other lock algorithms': {
    locks: { ptl: 'ticket', pml: 'mcs', 'page-table': 'mcs', zone: 'ticket' },
  },
  'announced read sections': { rcu: 'announced' },
};

/** Runs the suite over one protocol, with `options` as in its plan. */
export function testProtocol(expected: Expected, options: Plan['options'] = {}): void {
  const { protocol } = expected;

  describe.each(Object.entries(SETTINGS))(`${protocol}, %s`, (_name, setting) => {
    const make = (): TestMachine => new TestMachine({ ...setting, protocol, options });

    property([steps], { numRuns: 40 })('agrees with the model after any sequence', (sequence) => {
      const machine = make();
      const model = new Model(expected);
      machine.mmap(0, FIRST, FIRST + PAGES);
      model.map(FIRST, FIRST + PAGES);
      for (const step of sequence) {
        perform(machine, model, step);
        compare(machine, model, expected);
        if ('cpu' in step) rcuOperationEnd(machine.cpu(step.cpu));
      }
      machine.settle();
      compareFrames(machine, model);
      for (const [page, value] of model.entries) expect(machine.load(0, page)).toBe(value);
      machine.exit();
      expect(['tables', 'bodies', 'pages'].map((kind) => machine.inUse(kind as 'pages'))).toEqual([
        0, 0, 0,
      ]);
      expect([machine.nrPtes(), machine.nrPmds(), machine.nrPuds()]).toEqual([0, 0, 0]);
      expect([machine.counter('rss'), rcuBacklog()]).toEqual([0, 0]);
      expect(machine.counter('tablesAllocated')).toBe(machine.counter('tablesFreed'));
      expect(machine.facts()).toEqual([]);
    });
  });

  test(`${protocol} names the places of the socket that it uses`, () => {
    const machine = new TestMachine(planOf({ protocol, options }));
    const places = Object.values(HOOK).reduce((all, hook) => all | hook);
    expect(boundProtocol().hooks & ~places).toBe(0);
    // A place that is not named does nothing when it is called all the same.
    if (!hasHook(HOOK.scan)) expect(boundProtocol().scan(machine.cpu(0), machine.mm, 8)).toBe(0);
    if (!hasHook(HOOK.pressure)) expect(machine.pressure(0)).toBe(0);
  });
}
