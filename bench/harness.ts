/**
 * The harness: interleaved rounds (A B C A B C ...) of several variants, medians with their spread,
 * ratios pair by pair. On a shared machine single figures mean little; what was measured side by
 * side in the same minute can be compared.
 */
import { pairRatios, type Spread, spreadOf } from './statistics.ts';

/** `parts`: of a whole, from 0 to 1. */
export type Unit = 'ns' | 'us' | 'ms' | 's' | 'B' | 'MiB' | 'GiB' | 'parts' | 'pieces';

/** Something that can be measured again and again. */
export interface Variant {
  readonly name: string;
  readonly unit: Unit;
  sample(): Promise<number> | number;
  /** What a sample tells beside, read after each; in tables and figures a variant of its own. */
  readonly beside?: readonly Reading[];
}

export interface Reading {
  readonly name: string;
  readonly unit: Unit;
  read(): number;
}

/** A figure of somebody else's, to stand beside ours; it was not measured in this run. */
export interface Reference {
  readonly name: string;
  readonly unit: Unit;
  readonly value: number;
  /** Who measured it, when and where. */
  readonly source: string;
}

export interface Goal {
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly aim?: number;
}

/**
 * The median of variant `of`, or of its ratio to variant `over`, and the goal it must keep. Both
 * may name a reference, too.
 */
export interface Figure {
  readonly name: string;
  readonly of: string;
  readonly over?: string;
  readonly goal?: Goal;
  /** Variant whose profile says why, where the goal is missed. */
  readonly profile?: string;
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
  readonly references?: readonly Reference[];
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
  /** Variant whose profile says why it is missed; null: it is not, or no profile can say. */
  readonly profile: string | null;
}

export interface Measured {
  readonly variants: readonly MeasuredVariant[];
  readonly figures: readonly MeasuredFigure[];
  readonly references: readonly Reference[];
  readonly notes: readonly string[];
}

/** A variant that fails is left out from then on, with a note that says why. */
export async function measure(
  prepared: Prepared,
  rounds: number,
  progress: (round: number, variant: string) => void = () => {},
): Promise<Measured> {
  const samples = new Map(prepared.variants.flatMap(namesOf).map((name) => [name, emptyList()]));
  const notes = [...prepared.notes];
  for (let round = 0; round < rounds; round++) {
    for (const variant of prepared.variants) {
      const kept = samples.get(variant.name);
      if (!kept) continue;
      progress(round, variant.name);
      try {
        kept.push(await variant.sample());
        for (const { name, read } of variant.beside ?? []) samples.get(name)!.push(read());
      } catch (error) {
        for (const name of namesOf(variant)) samples.delete(name);
        notes.push(`${variant.name} failed: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  const references = prepared.references ?? [];
  const units = unitsOf(prepared.variants, references);
  const variants = [...samples].map(([name, found]): MeasuredVariant => {
    return { name, unit: units.get(name)!, samples: found, ...spreadOf(found) };
  });
  for (const { name, value } of references) samples.set(name, Array(rounds).fill(value));
  const figures = prepared.figures.flatMap((figure) => measuredFigure(figure, units, samples));
  return { variants, figures, references, notes };
}

/** True if `value` keeps the goal. */
export function isMet(goal: Goal, value: number): boolean {
  return goal.bound === 'at most' ? value <= goal.limit : value >= goal.limit;
}

type Samples = ReadonlyMap<string, readonly number[]>;

function namesOf({ name, beside }: Variant): string[] {
  return [name, ...(beside ?? []).map((reading) => reading.name)];
}

function emptyList(): number[] {
  return [];
}

function unitsOf(
  variants: readonly Variant[],
  references: readonly Reference[],
): ReadonlyMap<string, Unit> {
  const all = variants.flatMap((variant) => [variant, ...(variant.beside ?? [])]);
  return new Map([...all, ...references].map(({ name, unit }) => [name, unit]));
}

/** Empty when a variant that the figure needs is missing. */
function measuredFigure(
  figure: Figure,
  units: ReadonlyMap<string, Unit>,
  samples: Samples,
): MeasuredFigure[] {
  const of = samples.get(figure.of);
  const over = figure.over === undefined ? undefined : samples.get(figure.over);
  if (!of || (figure.over !== undefined && !over)) return [];
  const values = over ? pairRatios(of, over) : of;
  const unit = over ? 'x' : units.get(figure.of)!;
  const spread = spreadOf(values);
  const goal = figure.goal ?? null;
  const met = goal && isMet(goal, spread.median);
  const profile = met === false ? (figure.profile ?? null) : null;
  return [{ name: figure.name, unit, samples: values, ...spread, goal, met, profile }];
}
