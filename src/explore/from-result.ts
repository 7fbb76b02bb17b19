/**
 * From a run that ended in a violation to small plans that may end in the same: the CPUs that had
 * to do with it, each with what it did last on the slots in question. Some plans are mixed with
 * what else the CPUs might have done, since a ring does not reach back for ever.
 */
import type { LastAct, LastActs } from '#result/last-acts';
import type { Run, Violation } from '#result/result';
import type { Advice, Op, PageSpan, Plan, Protection, Region, Walker } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import { ACT_COUNT } from '#trace/act';
import { type FewSlots, fewSlots } from './few-slots.ts';
import { isMonitored } from './smaller/settle.ts';

/** How a small plan is made of the last acts. */
export interface Form {
  readonly slots: number;
  readonly cpus: number;
  /** Of each CPU, so many of its last acts on the slots, and how often. */
  readonly acts: number;
  readonly times: number;
  /** Acts on part of a slot become acts on all of it. */
  readonly isWide: boolean;
  /** Draws from the CPUs' own columns follow, each of their choices as likely as the others. */
  readonly isMixed: boolean;
  /** Everything is touched before the CPUs begin. */
  readonly isFilled: boolean;
}

const PLAIN = { times: 1, isWide: false, isMixed: false, isFilled: true } as const;
const MIXED = { ...PLAIN, isMixed: true } as const;

/** The smallest first; each is another guess at what mattered. */
export const FORMS: readonly Form[] = [
  { ...PLAIN, slots: 1, cpus: 2, acts: 2 },
  { ...PLAIN, slots: 1, cpus: 2, acts: 2, times: 2, isWide: true },
  { ...MIXED, slots: 1, cpus: 2, acts: 0 },
  { ...PLAIN, slots: 2, cpus: 2, acts: 4 },
  { ...MIXED, slots: 1, cpus: 2, acts: 1 },
  { ...PLAIN, slots: 1, cpus: 2, acts: 3, isWide: true, isFilled: false },
  { ...MIXED, slots: 2, cpus: 2, acts: 0 },
  { ...PLAIN, slots: 2, cpus: 3, acts: 3 },
  { ...MIXED, slots: 3, cpus: 3, acts: 0 },
  { ...PLAIN, slots: 3, cpus: 2, acts: 6 },
];

/** An act that covers more slots says little about which of them matters. */
const TELLING_SLOTS_MAX = 4;
/** What a slot is worth that a fact is about. */
const OF_A_FACT = 1000;
const PUNCHED_PERCENT = 50;

/** What a run's small plans are made of. */
export interface Origin {
  /** As the run had it. */
  readonly plan: Plan;
  readonly violation: Violation;
  readonly lastActs: LastActs;
}

/** Of the first run with a violation; null: there is none. */
export function originOf(plan: Plan, runs: readonly Run[]): Origin | null {
  const run = runs.find(({ violations }) => violations.length > 0);
  if (run === undefined) return null;
  const lastActs = run.lastActs ?? { options: plan.options, slots: [], columns: [] };
  const { protocol, cpus } = run;
  return {
    plan: { ...plan, protocol, cpus, options: lastActs.options },
    violation: run.violations[0]!,
    lastActs,
  };
}

/** On as large a machine as the run's; a search makes it small. */
export function planFrom(origin: Origin, form: Form): Plan {
  const { plan } = origin;
  const slots = slotsFor(origin, form.slots);
  const few = fewSlots(plan, slots);
  const cpus = cpusFor(origin, few, form.cpus);
  const touches = form.isFilled ? few.regions.flatMap(touched) : [];
  return {
    ...plan,
    cpus: cpus.length,
    pageFrames: 0,
    tableFrames: 0,
    regions: few.regions,
    setup: [...few.cutOps(plan.setup), ...touches],
    columns: cpus.map((cpu) => columnOf(origin, few, cpu, form)),
    expectations: [],
    outcomes: [],
  };
}

/** The slots in question, the likeliest `count` of them, in the order of their addresses. */
function slotsFor({ plan, violation, lastActs }: Origin, count: number): number[] {
  const ptrs = 2 ** plan.ptrsShift;
  const starts = regionStarts(plan);
  const worth = new Map<number, number>();
  const add = (slot: number, more: number) => worth.set(slot, (worth.get(slot) ?? 0) + more);
  const isMapped = (slot: number): boolean =>
    starts.some((start, i) => {
      const end = start + plan.regions[i]!.pages;
      return start < (slot + 1) * ptrs && slot * ptrs < end;
    });
  for (const slot of lastActs.slots) if (isMapped(slot)) add(slot, OF_A_FACT);
  for (const { cpu, isInFlight, acts } of lastActs.columns) {
    const best = new Map<number, number>();
    for (const [age, { region, page, pages }] of acts.toReversed().entries()) {
      if (region === null || pages === 0) continue;
      const first = Math.floor((starts[region]! + page) / ptrs);
      const last = Math.floor((starts[region]! + page + pages - 1) / ptrs);
      if (last - first >= TELLING_SLOTS_MAX) continue;
      const now = isInFlight && age === 0 ? 4 : 1 / (1 + age);
      for (let slot = first; slot <= last; slot++)
        best.set(slot, Math.max(best.get(slot) ?? 0, now));
    }
    const ours = violation.cpus.includes(cpu) ? 2 : 1;
    for (const [slot, now] of best) add(slot, ours * now);
  }
  // Nothing is known of where: then any place is as good.
  for (const start of starts) if (worth.size < count) add(Math.floor(start / ptrs), 0);
  const likeliest = [...worth].toSorted(([, a], [, b]) => b - a).slice(0, count);
  return likeliest.map(([slot]) => slot).toSorted((a, b) => a - b);
}

/** Those of the violation first, then those that came to the slots last; by their numbers. */
function cpusFor({ plan, violation, lastActs }: Origin, few: FewSlots, count: number): number[] {
  const worth = new Map<number, number>();
  for (let cpu = 0; cpu < plan.cpus; cpu++) worth.set(cpu, 0);
  for (const { cpu, acts } of lastActs.columns) {
    const age = acts.toReversed().findIndex((act) => opOf(few, act, false) !== null);
    worth.set(cpu, age === -1 ? 0 : 1 / (1 + age));
  }
  for (const cpu of violation.cpus) worth.set(cpu, (worth.get(cpu) ?? 0) + OF_A_FACT);
  const likeliest = [...worth].toSorted(([, a], [, b]) => b - a).slice(0, count);
  return likeliest.map(([cpu]) => cpu).toSorted((a, b) => a - b);
}

function columnOf({ plan, lastActs }: Origin, few: FewSlots, cpu: number, form: Form): Op[] {
  const acts = lastActs.columns.find((column) => column.cpu === cpu)?.acts ?? [];
  const ops = acts.flatMap((act, i) => opOf(few, act, form.isWide, acts[i + 1]) ?? []);
  const last = form.acts === 0 ? [] : ops.slice(-form.acts);
  const repeated = Array.from({ length: form.times }, () => last).flat();
  if (!form.isMixed && repeated.length > 0) return repeated;
  // A kernel thread has no column; all that it does is scan.
  const own = plan.columns[cpu] ?? [
    { op: 'loop', times: null, do: [{ op: 'scan', untilIdle: false }] },
  ];
  return [...repeated, ...few.cutOps(own).map(evened)];
}

/** What is done often is among the last acts; what is not, may have mattered before them. */
function evened(op: Op): Op {
  if (op.op === 'mix')
    return {
      ...op,
      choices: op.choices.map((choice) => ({ weight: 1, do: choice.do.map(evened) })),
    };
  return 'do' in op ? { ...op, do: op.do.map(evened) } : op;
}

/**
 * The operation that an act was, on the slots that are left; null: it had nothing of them. The act
 * `next` tells where a mapping was moved to.
 */
function opOf(
  few: FewSlots,
  { act, count, region, page, pages }: LastAct,
  isWide: boolean,
  next: LastAct | undefined = undefined,
): Op | null {
  const [op, form] = act.split(' ') as [string, string | undefined];
  if (op === 'scan') return { op, untilIdle: form === 'until-idle' };
  if (op === 'pressure') return { op };
  if (op === 'sleep') return { op, ms: pages };
  if (region === null) return null;
  const span = few.cutSpan(region, page, pages);
  if (span === null) return null;
  const extent = isWide ? ('slot' as const) : { page: span.page, pages: span.pages };
  const where = { region: span.region, extent, share: 'all' } as const;
  switch (op) {
    case 'touch':
      return { op, access: form as 'write' | 'read', pages: pagesOf(count), ...where };
    case 'mmap':
      return { op, protection: protectionOf(form), ...where };
    case 'mprotect':
      return { op, protection: protectionOf(form), ...where };
    case 'mremap':
      return form === 'to' ? null : moveOf(few, span, region, next);
    case 'brk':
      return { op, region: span.region, pages: span.pages };
    case 'punch':
      return { op, percent: PUNCHED_PERCENT, ...where };
    case 'madvise':
      return { op, advice: form as Advice, ...where };
    case 'walk':
      return { op, walker: form as Walker, ...where };
    case 'dontneed':
    case 'purge':
    case 'munmap':
    case 'reclaim':
      return { op, ...where };
    default:
      return null;
  }
}

function protectionOf(form: string | undefined): Protection {
  return (form ?? 'write') as Protection;
}

function moveOf(
  few: FewSlots,
  { region, ...extent }: PageSpan & { region: number },
  before: number,
  next: LastAct | undefined,
): Op | null {
  if (next?.act !== 'mremap to') return null;
  const place = few.cutSpan(before, next.page, next.pages);
  if (place === null) return { op: 'munmap', region, extent, share: 'all' };
  const to = place.page === extent.page ? null : place.page;
  return { op: 'mremap', region, extent, share: 'all', to, newPages: place.pages };
}

function pagesOf(count: number): 'every' | 'one-per-slot' | number {
  if (count === ACT_COUNT.every) return 'every';
  return count === ACT_COUNT.onePerSlot ? 'one-per-slot' : count;
}

function touched(region: Region, number: number): Op[] {
  if (isMonitored(region)) return [];
  const where = { region: number, extent: 'whole', share: 'all' } as const;
  return [{ op: 'touch', access: 'write', pages: 'every', ...where }];
}
