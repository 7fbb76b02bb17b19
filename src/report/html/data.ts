/** What the page's script is given: the series behind the plots, nothing that is in the text. */
import type { Occupancy } from '#result/occupancy';
import type { Result, Run } from '#result/result';
import { throughput } from '#result/throughput';
import type { Timeline } from '#result/timeline';

export type Point = [x: number, y: number];

/** Lines of a plot, each with points of its own; in the order of the plot's key. */
export type Lines = readonly (readonly Point[])[];

export interface PageData {
  /** Milliseconds and KiB, of each run. */
  readonly vmpte: Lines;
  readonly rss: Lines;
  /** CPUs and faults a second, of each protocol. */
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
  readonly protocol: string;
  readonly points: readonly Point[];
}

/** Throughput by the number of CPUs, of protocols that were run with several numbers. */
export function scalingCurves({ runs }: Pick<Result, 'runs'>): Curve[] {
  const protocols = [...new Set(runs.map(({ protocol }) => protocol))];
  return protocols.flatMap((protocol) => {
    const points = runs
      .filter((run) => run.protocol === protocol)
      .map((run): Point => [run.cpus, throughput(run)])
      .toSorted((a, b) => a[0] - b[0]);
    return new Set(points.map(([cpus]) => cpus)).size < 2 ? [] : [{ protocol, points }];
  });
}

/** What a run is called on the page: its protocol, and its CPUs where runs differ in them. */
export function runName(run: Run, { runs }: Pick<Result, 'runs'>): string {
  const isAlone = runs.filter(({ protocol }) => protocol === run.protocol).length === 1;
  if (isAlone) return run.protocol;
  return `${run.protocol}, ${run.cpus} ${run.cpus === 1 ? 'CPU' : 'CPUs'}`;
}
