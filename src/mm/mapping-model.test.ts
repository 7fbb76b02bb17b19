/**
 * Random sequences of mmap, munmap, mprotect, mremap, brk, accesses and MADV_DONTNEED against the
 * model: the same VMAs, tables, contents and counts, whatever protocol frees the empty tables.
 */
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { VMA_FLAG } from '#arena/layout/mm';
import { property } from '#base/property.suite';
import { judge } from '#oracles/judges';
import type { Plan, Protection } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { brk } from './brk.ts';
import { type Frees, MappingModel } from './mapping-model.suite.ts';
import { mprotect } from './mprotect.ts';
import { IN_PLACE, mremap } from './mremap.ts';
import { flagsOfProtection, PROTECTION } from './protection.ts';
import { rcuOperationEnd } from './rcu-free.ts';

/** Pages in play: eight slots, in two PMD tables; then those of the heap. */
const FIRST = 96;
const PAGES = 64;
const HEAP = FIRST + PAGES;
const HEAP_PAGES = 24;
const PTRS = 8;

type Step =
  | { op: 'store' | 'load' | 'dontneed' | 'munmap'; at: number; length: number }
  | { op: 'mmap' | 'mprotect'; at: number; length: number; protection: Protection }
  | { op: 'mremap'; at: number; length: number; to: number | null; newLength: number }
  | { op: 'brk'; pages: number };

/** A page, often the first of a slot; and a length, often of whole slots. */
const at = fc.oneof(
  fc.nat(PAGES - 1),
  fc.nat(PAGES / PTRS - 1).map((slot) => slot * PTRS),
);
const length = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 3 }).map((slots) => slots * PTRS),
);
const protection = fc.constantFrom<Protection>('none', 'read', 'write', 'write');
const accesses = fc.constantFrom('store' as const, 'store' as const, 'load' as const);
const zaps = fc.constantFrom('dontneed' as const, 'munmap' as const);
const changes = fc.constantFrom('mmap' as const, 'mprotect' as const);
const move = fc
  .record({ at, length, to: fc.option(at), other: length, keeps: fc.boolean() })
  .map(({ keeps, other, ...rest }): Step => {
    return { op: 'mremap', ...rest, newLength: keeps ? rest.length : other };
  });
const steps = fc.array<Step>(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ op: accesses, at, length }) },
    { weight: 3, arbitrary: fc.record({ op: zaps, at, length }) },
    { weight: 5, arbitrary: fc.record({ op: changes, at, length, protection }) },
    { weight: 6, arbitrary: move },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant('brk' as const), pages: fc.nat(HEAP_PAGES) }),
    },
  ),
  { minLength: 1, maxLength: 60 },
);

const PLANS: readonly (readonly [Partial<Plan>, Frees])[] = [
  [{ protocol: 'none' }, { empty: false, zapped: false }],
  [
    { protocol: 'none', splitLocks: false, backing: 'on-demand' },
    { empty: false, zapped: false },
  ],
  [{ protocol: 'pt-reclaim' }, { empty: false, zapped: true }],
  [
    { protocol: 'async-scanner', options: { guided: 'counts' } },
    { empty: false, zapped: false },
  ],
  [
    { protocol: 'zap-second-walk', gatherPages: 3 },
    { empty: false, zapped: true },
  ],
  [
    { protocol: 'table-rwsem', splitLocks: false },
    { empty: false, zapped: true },
  ],
  [{ protocol: 'locked-counts' }, { empty: false, zapped: false }],
  [
    { protocol: 'atomic-refcount', splitLocks: false },
    { empty: true, zapped: true },
  ],
  [
    { protocol: 'atomic-refcount', backing: 'on-demand' },
    { empty: true, zapped: true },
  ],
];

describe.each(PLANS)('under %o', (plan, frees) => {
  property([steps], { numRuns: 60 })('memory is mapped as the model says', (list) => {
    const machine = new TestMachine(plan);
    const model = new MappingModel(PTRS, frees);
    for (const [i, step] of list.entries()) {
      run(machine, model, step, 100 * (i + 1));
      rcuOperationEnd(machine.cpu(0));
      compare(machine, model);
    }
    for (let page = FIRST; page < HEAP + HEAP_PAGES; page++)
      expect(machine.load(0, page), `page ${page}`).toBe(model.load(page));
    compare(machine, model);
    machine.settle();
    expect(findings(machine, 'fair')).toEqual([]);
    machine.exit();
    expect(findings(machine, 'exit')).toEqual([]);
  });
});

property([steps], { numRuns: 60 })('percpu-refcount keeps what the model keeps', (list) => {
  const machine = new TestMachine({ protocol: 'percpu-refcount' });
  const model = new MappingModel(PTRS, { empty: false, zapped: false });
  for (const [i, step] of list.entries()) {
    run(machine, model, step, 100 * (i + 1));
    rcuOperationEnd(machine.cpu(0));
    expect(bounds(machine)).toEqual(model.vmas.map(({ start, end }) => [start, end]));
    expect(machine.counter('rss')).toBe(model.rss());
  }
  machine.exit();
  expect(findings(machine, 'exit')).toEqual([]);
});

function run(machine: TestMachine, model: MappingModel, step: Step, value: number): void {
  const cpu = machine.cpu(0);
  const { mm } = machine;
  if (step.op === 'brk') {
    expect(brk(cpu, mm, HEAP, step.pages, 0)).toBe(model.brk(HEAP, step.pages));
    return;
  }
  const start = FIRST + step.at;
  const end = Math.min(start + step.length, HEAP);
  switch (step.op) {
    case 'store':
    case 'load':
      for (let page = start; page < end; page++)
        if (step.op === 'load') expect(machine.load(0, page)).toBe(model.load(page));
        else {
          const stored = machine.store(0, page, value + page - start) === 0;
          expect(stored).toBe(model.store(page, value + page - start));
        }
      break;
    case 'mmap':
      machine.mmap(0, start, end, flagsOfProtection(PROTECTION[step.protection]));
      model.mmap(start, end, step.protection);
      break;
    case 'mprotect': {
      const [from, to] = [machine.slotOf(start), machine.slotOf(end)];
      const [first, last] = [machine.indexOf(start), machine.indexOf(end)];
      const done = mprotect(cpu, mm, from, first, to, last, PROTECTION[step.protection]);
      expect(done).toBe(model.mprotect(start, end, step.protection));
      break;
    }
    case 'mremap': {
      const to = step.to === null ? null : FIRST + step.to;
      const newPages = Math.min(step.newLength, HEAP - (to ?? start));
      const done = mremap(cpu, mm, start, end - start, to ?? IN_PLACE, newPages);
      expect(done).toBe(model.mremap(start, end - start, to, newPages));
      break;
    }
    default:
      machine[step.op](0, start, end);
      model[step.op](start, end);
  }
}

function compare(machine: TestMachine, model: MappingModel): void {
  const vmas = model.vmas.map((vma) => {
    const noAccount = vma.accounted ? 0 : VMA_FLAG.noAccount;
    const access = flagsOfProtection(PROTECTION[vma.protection]) & ~VMA_FLAG.noAccount;
    return [vma.start, vma.end, access | noAccount];
  });
  expect(machine.vmas()).toEqual(vmas);
  const { ptes, pmds, puds } = machine.tree();
  expect([...ptes.keys()]).toEqual([...model.tables].sort((a, b) => a - b));
  expect([machine.nrPtes(), machine.nrPmds(), machine.nrPuds()]).toEqual([ptes.size, pmds, puds]);
  expect(machine.counter('rss')).toBe(model.rss());
  expect(machine.facts()).toEqual([]);
}

function bounds(machine: TestMachine): [start: number, end: number][] {
  return machine.vmas().map(([start, end]) => [start, end]);
}

function findings(machine: TestMachine, moment: 'fair' | 'exit'): string[] {
  const { words, map } = machine;
  const { splitLocks } = machine.plan;
  const evidence = { words, map, splitLocks, countsEntries: false, ticketClasses: 0, moment };
  return judge(evidence).map(({ message }) => message);
}
