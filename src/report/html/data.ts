/** What the page's script is given: the series behind the plots, nothing that is in the text. */
import type { Occupancy } from '#result/occupancy';
import type { Result, Run } from '#result/result';
import type { Timeline } from '#result/timeline';
import { formatCounted } from '../format.ts';
import { algorithmOf, rateOf, type Sweep, sweepsOf } from '../sweeps.ts';

export type Point = [x: number, y: number];

/** Lines of a plot, each with points of its own; in the order of the plot's key. */
export type Lines = readonly (readonly Point[])[];

export interface PageData {
  /** Milliseconds and KiB, of each run. */
  readonly vmpte: Lines;
  readonly rss: Lines;
  /** CPUs and work a second, of each protocol. */
  readonly scaling: Lines;
  /** Of each run; null: it has none. */
  readonly occupancies: readonly (Occupancy | null)[];
  readonly timelines: readonly (Timeline | null)[];
}

export function pageData(result: Result): PageData {
  const { runs } = result;
  return {
    vmpte: runs.map((run) => run.vmpteKiB.series),
    rss: runs.map((run) => run.rssKiB.series ?? []),
    scaling: scalingCurves(result).map(({ points }) => points),
    occupancies: runs.map((run) => run.occupancy ?? null),
    timelines: runs.map((run) => run.timeline ?? null),
  };
}

export interface Curve {
  readonly sweep: Sweep;
  readonly points: readonly Point[];
}

/** Work by the number of CPUs, of what was run with several numbers. */
export function scalingCurves({ runs }: Pick<Result, 'runs'>): Curve[] {
  return sweepsOf(runs).flatMap((sweep) => {
    const points = sweep.runs.map((run): Point => [run.cpus, rateOf(run)]);
    return new Set(points.map(([cpus]) => cpus)).size < 2 ? [] : [{ sweep, points }];
  });
}

/** What a run is called on the page: its protocol, and what else runs differ in. */
export function runName(run: Run, { runs }: Pick<Result, 'runs'>): string {
  const alike = runs.filter(({ protocol }) => protocol === run.protocol);
  const differs = (of: (each: Run) => unknown): boolean => new Set(alike.map(of)).size > 1;
  return [
    run.protocol,
    ...(differs(algorithmOf) ? [algorithmOf(run)] : []),
    ...(differs(({ cpus }) => cpus) ? [formatCounted(run.cpus, 'CPU')] : []),
  ].join(', ');
}
