/**
 * From any plan to one that a search can go through: each column a straight line of a few
 * operations at exact places. What is left to chance in the plan (mixes, random extents, pages to
 * touch) is drawn here, once; another seed of the plan gives another line, and that is how long
 * scenarios are explored.
 */
import { Prng } from '#base/prng';
import type { Op, Plan, Region, Where } from '#scenario/plan';
import { Places, type Span } from './settle-places.ts';

export interface Limits {
  /** Operations of each column. */
  readonly opsPerCpu: number;
}

/** What applies to pages of a region. */
type Placed = Extract<Op, Where>;
type Rendezvous = Op & { readonly op: 'rendezvous' };
type Sweep = Op & { readonly op: 'sweep' };
type Mix = Op & { readonly op: 'mix' };
type Touch = Op & { readonly op: 'touch' };
type Punch = Op & { readonly op: 'punch' };

const OPS_PER_CPU = 6;
const SETUP_OPS_MAX = 64;
/** The setup's random numbers are not those of any CPU's column. */
const SETUP_STREAM = -1;
/** Rounds of a loop in which there was nothing to do, until it is left. */
const IDLE_ROUNDS_MAX = 8;
/** The clock of an exploration counts steps. */
const SLEEP_STEPS_MAX = 20;

export function settlePlan(plan: Plan, { opsPerCpu }: Limits = { opsPerCpu: OPS_PER_CPU }): Plan {
  const setup = new Line(plan, 0, new Prng(plan.seed, SETUP_STREAM));
  setup.unroll(plan.setup, SETUP_OPS_MAX);
  return {
    ...plan,
    setup: setup.ops,
    columns: plan.columns.map((ops, cpu) => settleColumn(plan, ops, cpu, opsPerCpu)),
    durationMs: null,
    opsMax: null,
  };
}

/** The operations are shared out among the stretches between one rendezvous and the next. */
function settleColumn(plan: Plan, ops: readonly Op[], cpu: number, opsMax: number): Op[] {
  const line = new Line(plan, cpu, new Prng(plan.seed, cpu));
  let stretches = stretchesOf(ops);
  let left = opsMax;
  let stretch: Op[] = [];
  const flush = (): void => {
    if (stretch.length === 0) return;
    left -= line.unroll(stretch, Math.ceil(left / stretches--));
    stretch = [];
  };
  for (const op of ops) {
    if (op.op !== 'rendezvous') stretch.push(op);
    else {
      flush();
      line.meet(op);
    }
  }
  flush();
  // Else a fault might wait for a monitor whose column has ended.
  if (plan.regions.some(isMonitored)) line.meet({ op: 'rendezvous', phase: 'end' });
  return line.ops;
}

/** Stretches in which there is something to do. */
function stretchesOf(ops: readonly Op[]): number {
  const begins = ops.filter(
    ({ op }, i) => op !== 'rendezvous' && (i === 0 || ops[i - 1]!.op === 'rendezvous'),
  );
  return begins.length;
}

/** Whether faults in a region wait for somebody who fills its memory. */
export function isMonitored({ flags }: Region): boolean {
  return flags.includes('uffd-missing');
}

/** One CPU's operations, as they are drawn. */
class Line {
  readonly ops: Op[] = [];
  private left = 0;
  private chunk: Span = { page: 0, pages: 0 };
  private readonly prng: Prng;
  private readonly places: Places;

  constructor(plan: Plan, cpu: number, prng: Prng) {
    this.prng = prng;
    this.places = new Places(plan, cpu, prng);
  }

  /** Adds up to `opsMax` operations, and returns how many. */
  unroll(ops: readonly Op[], opsMax: number): number {
    this.left = opsMax;
    this.addAll(ops);
    return opsMax - this.left;
  }

  meet(op: Rendezvous): void {
    this.ops.push(op);
  }

  private addAll(ops: readonly Op[]): void {
    for (const op of ops) if (this.left > 0) this.addOp(op);
  }

  private addOp(op: Op): void {
    switch (op.op) {
      case 'loop':
        this.repeat(op.times, () => this.addAll(op.do));
        break;
      case 'mix':
        this.repeat(op.times, () => this.addAll(this.drawn(op)));
        break;
      case 'sweep':
        this.addSweep(op);
        break;
      case 'touch':
        this.addTouch(op);
        break;
      case 'punch':
        this.addPunch(op);
        break;
      case 'sleep':
        this.add({ op: 'sleep', ms: Math.min(op.ms, SLEEP_STEPS_MAX) });
        break;
      default:
        if ('extent' in op) this.addAt(op);
        else this.add(op);
    }
  }

  private repeat(times: number | null, round: () => void): void {
    let idle = 0;
    for (let i = 0; (times === null || i < times) && this.left > 0; i++) {
      const before = this.left;
      round();
      idle = this.left === before ? idle + 1 : 0;
      if (idle === IDLE_ROUNDS_MAX) return;
    }
  }

  private drawn({ choices }: Mix): readonly Op[] {
    const weights = choices.reduce((sum, { weight }) => sum + weight, 0);
    let drawn = this.prng.below(weights);
    let at = 0;
    while (drawn >= choices[at]!.weight) drawn -= choices[at++]!.weight;
    return choices[at]!.do;
  }

  private addSweep(op: Sweep): void {
    const share = this.places.share(op.region, op.share);
    const end = share.page + share.pages;
    for (let page = share.page; page < end && this.left > 0; page += op.pages) {
      this.chunk = { page, pages: Math.min(op.pages, end - page) };
      this.addAll(op.do);
    }
  }

  private addAt(op: Placed): void {
    const span = this.spanOf(op);
    if (span.pages > 0) this.add({ ...op, share: 'all', extent: span });
  }

  /** A number of random pages becomes as many touches. */
  private addTouch(op: Touch): void {
    if (typeof op.pages !== 'number') {
      this.addAt(op);
      return;
    }
    const span = this.spanOf(op);
    for (let i = 0; i < op.pages && span.pages > 0; i++) {
      const page = span.page + this.prng.below(span.pages);
      this.add({ ...op, share: 'all', extent: { page, pages: 1 }, pages: 'every' });
    }
  }

  private addPunch({ region, percent, ...where }: Punch): void {
    const span = this.spanOf({ region, ...where });
    for (let page = span.page; page < span.page + span.pages; page++) {
      const holes = this.prng.below(100) < percent;
      if (holes) this.add({ op: 'dontneed', region, share: 'all', extent: { page, pages: 1 } });
    }
  }

  private spanOf(where: Where): Span {
    return where.extent === 'chunk' ? this.chunk : this.places.draw(where);
  }

  private add(op: Op): void {
    if (this.left <= 0) return;
    this.ops.push(op);
    this.left--;
  }
}
