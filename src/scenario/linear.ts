/**
 * A plan's operations in the order in which one CPU does them, each with the pages it means: loops
 * unrolled, sweeps cut into chunks, and everything drawn that is left to chance. For whoever cannot
 * ask the machine what it drew, since the same list is to be executed elsewhere, too.
 */
import { Prng } from '#base/prng';
import { choosePages, type PageRange, shareOf } from './extent.ts';
import type { Choice, Op, Plan, Where } from './plan.ts';
import { regionStarts } from './regions.ts';

/** Rounds of an outermost loop that goes on forever, where the plan has no limit of its own. */
const ROUNDS = 200;

/**
 * The operations of CPU `cpu`, drawn by the plan's seed; those of the setup come first for CPU 0.
 */
export function* linearOps(plan: Plan, cpu: number): Generator<Op, void, undefined> {
  const drawer = new Drawer(plan, cpu);
  if (cpu === 0) yield* drawer.all(plan.setup, 1);
  yield* drawer.all(plan.columns[cpu] ?? [], 0);
}

/**
 * The operations of all CPUs as one may do them: the setup, and then the columns in turn, one
 * operation of each after another.
 */
export function* inTurns(plan: Plan): Generator<Op, void, undefined> {
  const setup = new Drawer(plan, 0);
  yield* setup.all(plan.setup, 1);
  let columns = plan.columns.map((_, cpu) => linearOps({ ...plan, setup: [] }, cpu));
  while (columns.length > 0) {
    const ended = new Set<Generator<Op, void, undefined>>();
    for (const column of columns) {
      const { done, value } = column.next();
      if (done) ended.add(column);
      else yield value;
    }
    columns = columns.filter((column) => !ended.has(column));
  }
}

class Drawer {
  private readonly plan: Plan;
  private readonly cpu: number;
  private readonly starts: readonly number[];
  private readonly prng: Prng;
  private readonly chunk: PageRange = { start: 0, end: 0 };
  private readonly range: PageRange = { start: 0, end: 0 };
  private roundsLeft: number;

  constructor(plan: Plan, cpu: number) {
    this.plan = plan;
    this.cpu = cpu;
    this.starts = regionStarts(plan);
    this.prng = new Prng(plan.seed, cpu + 1);
    this.roundsLeft = plan.opsMax ?? Number.POSITIVE_INFINITY;
  }

  /** `depth` is 0 for the column itself. */
  *all(ops: readonly Op[], depth: number): Generator<Op, void, undefined> {
    for (const op of ops) {
      if (op.op === 'loop') yield* this.rounds(op.times, depth, () => op.do);
      else if (op.op === 'mix') yield* this.rounds(op.times, depth, () => this.draw(op.choices));
      else if (op.op === 'sweep') yield* this.sweep(op, depth);
      else if (op.op === 'punch') yield* this.punch(op);
      else if (op.op === 'purge') yield* this.purge(op);
      else if (op.op === 'touch') yield* this.touch(op);
      else if ('extent' in op) yield* this.located(op);
      else yield op;
    }
  }

  private *rounds(
    times: number | null,
    depth: number,
    next: () => readonly Op[],
  ): Generator<Op, void, undefined> {
    const end = times ?? (this.plan.opsMax === null ? ROUNDS : Number.POSITIVE_INFINITY);
    for (let i = 0; i < end; i++) {
      if (depth === 0 && this.roundsLeft-- <= 0) return;
      yield* this.all(next(), depth + 1);
    }
  }

  private draw(choices: readonly Choice[]): readonly Op[] {
    const weights = choices.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.prng.below(weights);
    let at = 0;
    while (left >= choices[at]!.weight) left -= choices[at++]!.weight;
    return choices[at]!.do;
  }

  private *sweep(op: Op & { op: 'sweep' }, depth: number): Generator<Op, void, undefined> {
    const share = shareOf(this.plan, this.starts, this.cpu, op.region, op.share);
    for (let start = share.start; start < share.end; start += op.pages) {
      if (depth === 0 && this.roundsLeft-- <= 0) return;
      this.chunk.start = start;
      this.chunk.end = Math.min(start + op.pages, share.end);
      yield* this.all(op.do, depth + 1);
    }
  }

  /** The same operation with the pages that its extent means now; nothing, if those are none. */
  private *located<O extends Op & Where>(op: O): Generator<O, void, undefined> {
    const { start, end } = this.pagesOf(op);
    if (start < end) yield { ...op, ...this.where(op, start, end) };
  }

  private *touch(op: Op & { op: 'touch' }): Generator<Op, void, undefined> {
    const { start, end } = this.pagesOf(op);
    const one = (page: number): Op => ({
      ...{ op: 'touch', access: op.access, pages: 'every' },
      ...this.where(op, page, page + 1),
    });
    if (op.pages === 'every') yield* this.located(op);
    else if (op.pages === 'one-per-slot') {
      for (let page = start; page < end; page += 1 << this.plan.ptrsShift) yield one(page);
    } else if (start < end)
      for (let i = 0; i < op.pages; i++) yield one(start + this.prng.below(end - start));
  }

  private *punch(op: Op & { op: 'punch' }): Generator<Op, void, undefined> {
    const { start, end } = this.pagesOf(op);
    for (let page = start; page < end; page++) {
      if (this.prng.below(100) >= op.percent) continue;
      yield { op: 'dontneed', ...this.where(op, page, page + 1) };
    }
  }

  private *purge(op: Op & { op: 'purge' }): Generator<Op, void, undefined> {
    const { start, end } = this.pagesOf(op);
    for (let page = start; page < end; page += 1 << this.plan.ptrsShift)
      yield { op: 'dontneed', ...this.where(op, page, page + 1) };
  }

  private pagesOf(where: Where): PageRange {
    const { prng, cpu, plan, starts, chunk, range } = this;
    choosePages(prng, cpu, plan, starts, where, chunk, range);
    return { ...range };
  }

  private where({ region }: Where, start: number, end: number): Where {
    const extent = { page: start - this.starts[region]!, pages: end - start };
    return { region, extent, share: 'all' };
  }
}
