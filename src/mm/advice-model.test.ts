/**
 * Random lives of memory that is stored to, freed lazily, paged out and in, guarded, populated and
 * unmapped, against a model that keeps a record per page: contents, counters and the audit are
 * right, whatever protocol frees the empty tables.
 */
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { property } from '#base/property.suite';
import { judge } from '#oracles/judges';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { MADV, madvise } from './madvise.ts';
import { configurePagePins } from './page-state.ts';
import { rcuOperationEnd } from './rcu-free.ts';
import { shrinkRange } from './shrink.ts';
import { ACCESS } from './user-access.ts';

/** Pages in play: ten slots, in two PMD tables. */
const FIRST = 88;
const PAGES = 80;

type Advice = keyof typeof MADV;
type Access = { op: 'store' | 'load'; cpu: number; at: number };
type Change = { op: 'shrink' | 'munmap' | 'mmap'; cpu: number; at: number; length: number };
type Advise = { op: 'advise'; advice: Advice; cpu: number; at: number; length: number };
type Step = Access | Change | Advise;

const cpu = fc.nat(2);
const at = fc.nat(PAGES - 1);
const length = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 }));
const advice = fc.constantFrom(...(Object.keys(MADV) as Advice[]));
const access = fc.record<Access>({ op: fc.constantFrom('store', 'load'), cpu, at });
const change = fc.record<Change>({
  op: fc.constantFrom('shrink', 'shrink', 'shrink', 'munmap', 'mmap'),
  cpu,
  at,
  length,
});
const advise = fc.record<Advise>({ op: fc.constant('advise'), advice, cpu, at, length });
const steps = fc.array<Step>(
  fc.oneof(
    { weight: 8, arbitrary: access },
    { weight: 5, arbitrary: change },
    { weight: 12, arbitrary: advise },
  ),
  { minLength: 1, maxLength: 100 },
);

/**
 * A page: no entry and the zero page are `none` and `zero`; its own page holds `value`, and is
 * `lazy` from MADV_FREE on, `dirty` once stored to after it.
 */
interface Page {
  is: 'unmapped' | 'none' | 'zero' | 'guard' | 'own' | 'swapped';
  value: number;
  lazy: boolean;
  dirty: boolean;
}

class Model {
  readonly pages: Page[] = Array.from({ length: PAGES }, () => page('unmapped'));

  store(i: number, value: number): number {
    const { is, lazy } = this.pages[i]!;
    if (is === 'unmapped' || is === 'guard') return ACCESS.sigsegv;
    this.pages[i] = { is: 'own', value, lazy: lazy && is === 'own', dirty: true };
    return ACCESS.stored;
  }

  load(i: number): number {
    const found = this.pages[i]!;
    if (found.is === 'unmapped' || found.is === 'guard') return ACCESS.sigsegv;
    if (found.is === 'none') this.pages[i] = page('zero');
    if (found.is === 'swapped') found.is = 'own';
    return found.value;
  }

  shrink(start: number, end: number): number {
    let gone = 0;
    for (const found of this.pages.slice(start, end)) {
      if (found.is !== 'own') continue;
      if (!found.lazy) found.is = 'swapped';
      else if (!found.dirty) Object.assign(found, page('none'));
      if (found.is !== 'own') gone++;
      found.lazy = false;
    }
    return gone;
  }

  advise(what: Advice, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (!this.advisePage(what, this.pages[i]!)) return false;
    return true;
  }

  private advisePage(what: Advice, found: Page): boolean {
    const { is } = found;
    if (is === 'unmapped') return what !== 'populate-read' && what !== 'populate-write';
    if (what === 'dontneed' && is !== 'guard') Object.assign(found, page('none'));
    if (what === 'guard-install') Object.assign(found, page('guard'));
    if (what === 'guard-remove' && is === 'guard') Object.assign(found, page('none'));
    if (what === 'free' && is === 'swapped') Object.assign(found, page('none'));
    if (what === 'free' && is === 'own') Object.assign(found, { lazy: true, dirty: false });
    if (what === 'willneed' && is === 'swapped') found.is = 'own';
    if (what !== 'populate-read' && what !== 'populate-write') return true;
    if (is === 'guard') return false;
    if (is === 'swapped') found.is = 'own';
    if (is === 'none') found.is = what === 'populate-read' ? 'zero' : 'own';
    if (is === 'zero' && what === 'populate-write') found.is = 'own';
    return true;
  }

  count(is: Page['is']): number {
    return this.pages.filter((found) => found.is === is).length;
  }
}

function page(is: Page['is']): Page {
  return { is, value: 0, lazy: false, dirty: false };
}

function run(machine: TestMachine, model: Model, step: Step, value: number): void {
  if ('length' in step) {
    runRange(machine, model, step);
    return;
  }
  const { op, cpu: by, at: i } = step;
  if (op === 'store') expect(machine.store(by, FIRST + i, value)).toBe(model.store(i, value));
  else expect(machine.load(by, FIRST + i)).toBe(model.load(i));
}

function runRange(machine: TestMachine, model: Model, step: Change | Advise): void {
  const by = machine.cpu(step.cpu);
  const { mm } = machine;
  const from = step.at;
  const to = Math.min(from + step.length, PAGES);
  const [start, end] = [FIRST + from, FIRST + to];
  const [startSlot, startIndex] = [machine.slotOf(start), machine.indexOf(start)];
  const [endSlot, endIndex] = [machine.slotOf(end), machine.indexOf(end)];
  if ('advice' in step) {
    const what = MADV[step.advice];
    const done = madvise(by, mm, what, startSlot, startIndex, endSlot, endIndex);
    if (step.advice === 'pageout') model.shrink(from, to);
    expect(done).toBe(model.advise(step.advice, from, to));
  } else if (step.op === 'shrink') {
    const gone = shrinkRange(by, mm, startSlot, startIndex, endSlot, endIndex);
    expect(gone).toBe(model.shrink(from, to));
  } else {
    machine[step.op](step.cpu, start, end);
    for (let i = from; i < to; i++) model.pages[i] = page(step.op === 'mmap' ? 'none' : 'unmapped');
  }
}

function findings(machine: TestMachine, moment: 'fair' | 'exit'): string[] {
  const { words, map } = machine;
  const evidence = { words, map, splitLocks: true, countsEntries: false, ticketClasses: 0, moment };
  return judge(evidence).map(({ message }) => message);
}

const PLANS: readonly Partial<Plan>[] = [
  { protocol: 'none' },
  { protocol: 'none', backing: 'on-demand', gatherPages: 3 },
  { protocol: 'pt-reclaim' },
  { protocol: 'pt-reclaim', backing: 'on-demand', rcu: 'announced' },
  { protocol: 'async-scanner' },
  { protocol: 'atomic-refcount' },
  { protocol: 'percpu-refcount' },
  { protocol: 'locked-counts' },
  { protocol: 'table-rwsem' },
];

describe.each(PLANS)('under %o', (plan) => {
  property([steps], { numRuns: 60 })('memory is as the model says', (list) => {
    const machine = new TestMachine(plan);
    configurePagePins(true);
    const model = new Model();
    machine.mmap(0, FIRST, FIRST + PAGES);
    model.pages.forEach((_, i) => {
      model.pages[i] = page('none');
    });
    for (const [i, step] of list.entries()) {
      run(machine, model, step, i + 1);
      rcuOperationEnd(machine.cpu(step.cpu));
      expect(machine.counter('rss')).toBe(model.count('own'));
      expect(machine.counter('swapUsed')).toBe(model.count('swapped'));
    }
    for (let i = 0; i < PAGES; i++) expect(machine.load(i % 3, FIRST + i)).toBe(model.load(i));
    machine.settle();
    expect(findings(machine, 'fair')).toEqual([]);
    machine.exit();
    expect(findings(machine, 'exit')).toEqual([]);
  });
});
