/**
 * The smallest part of a plan that still shows the violation. A part is tried with the schedule
 * that did it last, and then with a bounded search; where there is less to do, it needs fewer
 * executions, so the bound goes down with what the latest success needed.
 */
import type { Plan } from '#scenario/plan';
import type { SteppedMachine } from '../stepped-machine.ts';
import {
  allOf,
  canReduce,
  formatReduction,
  type Kept,
  NOT_REDUCED,
  type Reduction,
  reducePlan,
} from './reduction.ts';
import { inPieces } from './reduction-pieces.ts';
import type { Scale } from './settle-scale.ts';
import {
  byOperations,
  moved,
  type Numbers,
  type OperationSchedule,
  OperationStrategy,
} from './shrink-operations.ts';
import type { Found, Trials } from './shrink-trial.ts';

export type MakeMachine = (plan: Plan) => SteppedMachine;

/** Executions for one part: at first, at least, at most; times those of the latest success. */
const SEARCH_FIRST = 100;
const SEARCH_MIN = 100;
const SEARCH_MAX = 1000;
const SEARCH_FACTOR = 5;
/** For a smaller machine, of which there are few to try. */
const SEARCH_SCALES = 400;

/** Operations of all columns that most violations need. */
const OPERATIONS_NEEDED = 2;

/** Smaller machines, the smallest first; levels are added where regions need them. */
const SCALES: readonly Scale[] = [
  { ptrsShift: 1, fullSlotsMax: 1, levels: 2 },
  { ptrsShift: 1, fullSlotsMax: 2, levels: 2 },
  { ptrsShift: 2, fullSlotsMax: 1, levels: 2 },
  { ptrsShift: 2, fullSlotsMax: 2, levels: 2 },
];

/** Which operation: of the setup (-1) or of a CPU's column, and its number there. */
interface Item {
  readonly column: number;
  readonly index: number;
}

const SETUP = -1;

export class PlanShrinker {
  reduction: Reduction = NOT_REDUCED;
  plan: Plan;
  machine: SteppedMachine;
  found: Found;
  /** The schedule that was found. */
  private told: OperationSchedule;
  /** Parts that did not do it, by their names. */
  private readonly failed = new Set<string>();
  private searchMax = SEARCH_FIRST;
  private readonly whole: Plan;
  private readonly makeMachine: MakeMachine;
  private readonly trials: Trials;
  private readonly untilMs: number;

  constructor(
    makeMachine: MakeMachine,
    plan: Plan,
    [machine, found]: readonly [SteppedMachine, Found],
    trials: Trials,
    untilMs: number,
  ) {
    this.whole = plan;
    this.plan = plan;
    this.machine = machine;
    this.found = found;
    this.told = byOperations(machine, found.schedule);
    this.makeMachine = makeMachine;
    this.trials = trials;
    this.untilMs = untilMs;
  }

  shrink(): void {
    this.dropOperations();
    this.takeApart();
    this.dropOperations();
    this.dropHarder();
    this.dropCpus();
    this.searchMax = Math.max(this.searchMax, SEARCH_SCALES);
    for (const scale of SCALES) {
      const reduction = { ...this.reduction, scale };
      if (scale.ptrsShift > this.plan.ptrsShift || !canReduce(this.whole, reduction)) continue;
      if (this.tryOut(reduction)) break;
    }
  }

  /** Halves first, from the end, then quarters, and so on to single operations, until none goes. */
  private dropOperations(): void {
    let size = 1;
    while (2 * size < this.items().length) size *= 2;
    for (; size >= 1; size = Math.floor(size / 2)) {
      const hasDropped = this.dropRuns(size);
      if (size === 1 && hasDropped) size = 2;
    }
  }

  /** Where more is left than most violations need, it may be that they are rare. */
  private dropHarder(): void {
    const isRare = this.items().filter(({ column }) => column !== SETUP).length > OPERATIONS_NEEDED;
    if (!isRare) return;
    this.searchMax = SEARCH_MAX;
    this.failed.clear();
    this.dropOperations();
  }

  private dropRuns(size: number): boolean {
    const items = this.items();
    let hasDropped = false;
    for (let end = items.length; end > 0; end -= size) {
      const run = items.slice(Math.max(0, end - size), end);
      const kept = without(this.kept(), run);
      if (this.tryOut({ ...this.reduction, kept })) hasDropped = true;
    }
    return hasDropped;
  }

  /** Splits what is left into pieces, and keeps all of them for now. */
  private takeApart(): void {
    const { whole } = this;
    const kept = this.kept();
    const pieces = (mask: bigint, ops: Plan['setup']): bigint => {
      let split = 0n;
      let at = 0n;
      for (const [i, op] of ops.entries()) {
        const count = BigInt(inPieces(whole, op).length);
        if ((mask >> BigInt(i)) & 1n) split |= ((1n << count) - 1n) << at;
        at += count;
      }
      return split;
    };
    const columns = kept.columns.map((mask, cpu) => pieces(mask!, whole.columns[cpu]!));
    const split = { setup: pieces(kept.setup, whole.setup), columns };
    this.tryOut({ isInPieces: true, kept: split, scale: null });
  }

  /** A CPU that has nothing to do need not be there; the others move up. */
  private dropCpus(): void {
    for (let cpu = this.whole.cpus - 1; cpu >= 0; cpu--) {
      const { setup, columns } = this.kept();
      if (this.plan.cpus === 1 || columns[cpu] !== 0n) continue;
      const kept = { setup, columns: columns.with(cpu, null) };
      this.tryOut({ ...this.reduction, kept });
    }
  }

  private tryOut(reduction: Reduction): boolean {
    const name = formatReduction(reduction);
    if (this.failed.has(name) || this.trials.now() >= this.untilMs) return false;
    const plan = reducePlan(this.whole, reduction);
    const machine = this.makeMachine(plan);
    const likely = new OperationStrategy(machine, this.toldFor(reduction));
    const search = this.trials.search(machine, likely, this.searchMax, this.untilMs);
    if (search.found === null) {
      this.failed.add(name);
      return false;
    }
    this.reduction = reduction;
    this.plan = plan;
    this.machine = machine;
    this.found = search.found;
    this.told = byOperations(machine, search.found.schedule);
    if (search.executions > 0) {
      const wanted = SEARCH_FACTOR * search.executions;
      this.searchMax = Math.min(SEARCH_MAX, Math.max(SEARCH_MIN, wanted));
    }
    return true;
  }

  /** What was found, as it is told of another part of the plan. */
  private toldFor({ isInPieces, kept }: Reduction): OperationSchedule {
    if (kept === null) return this.told;
    const before = this.kept().columns.map(numbersOf);
    const isSplit = isInPieces && !this.reduction.isInPieces;
    return moved(
      this.told,
      isSplit ? this.firstPieces(before) : before,
      kept.columns.map(numbersOf),
    );
  }

  /** Of operations, as pieces are numbered. */
  private firstPieces(columns: readonly Numbers[]): Numbers[] {
    return columns.map((numbers, cpu) => {
      const ops = this.whole.columns[cpu]!;
      const sizes = ops.map((op) => inPieces(this.whole, op).length);
      const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
      return numbers?.map((number) => starts[number]!) ?? null;
    });
  }

  private kept(): Kept {
    if (this.reduction.kept !== null) return this.reduction.kept;
    return allOf(reducePlan(this.whole, this.reduction));
  }

  /** What is kept: columns last, so that they go first. */
  private items(): Item[] {
    const { setup, columns } = this.kept();
    return [setup, ...columns].flatMap((mask, i) =>
      membersOf(mask ?? 0n).map((index) => ({ column: i + SETUP, index })),
    );
  }
}

function membersOf(mask: bigint): number[] {
  const members: number[] = [];
  for (let index = 0; mask >> BigInt(index) !== 0n; index++)
    if ((mask >> BigInt(index)) & 1n) members.push(index);
  return members;
}

function numbersOf(mask: bigint | null): Numbers {
  return mask === null ? null : membersOf(mask);
}

function without(kept: Kept, items: readonly Item[]): Kept {
  let { setup, columns } = kept;
  for (const { column, index } of items) {
    const bit = 1n << BigInt(index);
    if (column === SETUP) setup &= ~bit;
    else columns = columns.with(column, columns[column]! & ~bit);
  }
  return { setup, columns };
}
