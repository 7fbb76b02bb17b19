/**
 * The harness: interleaved rounds (A B C A B C ...) of several variants, medians with their spread,
 * ratios pair by pair. On a shared machine single figures mean little; what was measured side by
 * side in the same minute can be compared.
 */
import { pairRatios, type Spread, spreadOf } from './statistics.ts';

/** Something that can be measured again and again. Lower is faster. */
export interface Variant {
  readonly name: string;
  readonly unit: 'ns' | 'us';
  sample(): Promise<number> | number;
}

export interface Goal {
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly aim?: number;
}

/** The median of variant `of`, or of its ratio to variant `over`, and the goal it must keep. */
export interface Figure {
  readonly name: string;
  readonly of: string;
  readonly over?: string;
  readonly goal?: Goal;
}

export interface BenchOptions {
  readonly rounds: number;
  /** Main phase of a simulated run; variants that need no warm-up take a quarter of it. */
  readonly ms: number;
}

/** Variants and figures that belong together, selectable by name on the command line. */
export interface Group {
  readonly summary: string;
  prepare(options: BenchOptions): Promise<Prepared> | Prepared;
}

export interface Prepared {
  readonly variants: readonly Variant[];
  readonly figures: readonly Figure[];
  /** What the reader must know, e.g. that there is no compiler. */
  readonly notes: readonly string[];
}

export interface MeasuredVariant extends Spread {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

export interface MeasuredFigure extends Spread {
  readonly name: string;
  /** `x` is a ratio. */
  readonly unit: string;
  readonly samples: readonly number[];
  readonly goal: Goal | null;
  /** Whether the median keeps the goal; null without a goal. */
  readonly met: boolean | null;
}

export interface Measured {
  readonly variants: readonly MeasuredVariant[];
  readonly figures: readonly MeasuredFigure[];
  readonly notes: readonly string[];
}

/** A variant that fails is left out from then on, with a note that says why. */
export async function measure(
  prepared: Prepared,
  rounds: number,
  progress: (round: number, variant: string) => void = () => {},
): Promise<Measured> {
  const samples = new Map(prepared.variants.map(({ name }): [string, number[]] => [name, []]));
  const notes = [...prepared.notes];
  for (let round = 0; round < rounds; round++) {
    for (const variant of prepared.variants) {
      const kept = samples.get(variant.name);
      if (!kept) continue;
      progress(round, variant.name);
      try {
        kept.push(await variant.sample());
      } catch (error) {
        samples.delete(variant.name);
        notes.push(`${variant.name} failed: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return {
    variants: prepared.variants.flatMap((variant) => measuredVariant(variant, samples)),
    figures: prepared.figures.flatMap((figure) => measuredFigure(figure, prepared, samples)),
    notes,
  };
}

/** True if `value` keeps the goal. */
export function isMet(goal: Goal, value: number): boolean {
  return goal.bound === 'at most' ? value <= goal.limit : value >= goal.limit;
}

type Samples = ReadonlyMap<string, readonly number[]>;

function measuredVariant({ name, unit }: Variant, samples: Samples): MeasuredVariant[] {
  const found = samples.get(name);
  return found ? [{ name, unit, samples: found, ...spreadOf(found) }] : [];
}

/** Empty when a variant that the figure needs is missing. */
function measuredFigure(figure: Figure, prepared: Prepared, samples: Samples): MeasuredFigure[] {
  const of = samples.get(figure.of);
  const over = figure.over === undefined ? undefined : samples.get(figure.over);
  if (!of || (figure.over !== undefined && !over)) return [];
  const values = over ? pairRatios(of, over) : of;
  const unit = over ? 'x' : prepared.variants.find(({ name }) => name === figure.of)!.unit;
  const spread = spreadOf(values);
  const goal = figure.goal ?? null;
  const met = goal && isMet(goal, spread.median);
  return [{ name: figure.name, unit, samples: values, ...spread, goal, met }];
}
