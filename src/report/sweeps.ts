/** Runs that differ in their number of CPUs, and the law that their throughput follows. */
import type { Result, Run } from '#result/result';
import { throughput } from '#result/throughput';
import { formatCounted, formatPercent, formatShort } from './format.ts';
import { fitScalability } from './scalability.ts';

/** Runs that differ in the number of CPUs only, the fewest first. */
export interface Sweep {
  readonly name: string;
  readonly algorithm: string;
  readonly protocol: string;
  readonly runs: readonly Run[];
}

export function sweepsOf(runs: readonly Run[]): Sweep[] {
  const sweeps = new Map<string, Run[]>();
  for (const run of runs) {
    const key = `${run.protocol} ${algorithmOf(run)}`;
    sweeps.set(key, [...(sweeps.get(key) ?? []), run]);
  }
  const isOneAlgorithm = new Set(runs.map(algorithmOf)).size === 1;
  return [...sweeps.values()].map((group) => {
    const [{ protocol }] = group as [Run, ...Run[]];
    const algorithm = algorithmOf(group[0]!);
    const name = isOneAlgorithm ? protocol : `${protocol}, ${algorithm}`;
    return { name, algorithm, protocol, runs: group.toSorted((a, b) => a.cpus - b.cpus) };
  });
}

/** Of the spinlocks: the one that all have, or each by its class. */
export function algorithmOf({ lockAlgorithms }: Run): string {
  const chosen = Object.entries(lockAlgorithms ?? {});
  const names = new Set(chosen.map(([, algorithm]) => algorithm));
  if (names.size <= 1) return [...names][0] ?? '';
  return chosen.map(([lock, algorithm]) => `${lock}=${algorithm}`).join(' ');
}

/** Pages faulted in, or where nothing faults, operations; for each second. */
export function rateOf(run: Run): number {
  if (run.pages.faulted > 0 || run.seconds === 0) return throughput(run);
  return Object.values(run.operations).reduce((sum, each) => sum + each, 0) / run.seconds;
}

/** The law fitted to what was measured; null: too little was. */
export function lawSentence({ machine }: Pick<Result, 'machine'>, { runs }: Sweep): string | null {
  const points = runs.map((run) => ({ cpus: run.cpus, throughput: rateOf(run) }));
  const fit = points.some((point) => point.throughput === 0) ? null : fitScalability(points);
  if (fit === null) return null;
  const peak = fit.peakCpus === null ? '' : `, highest at ${fit.peakCpus.toFixed(1)} CPUs`;
  const crowded = runs.filter(({ cpus }) => cpus > machine.cores).length;
  const lost =
    crowded === 0
      ? ''
      : ` ${formatCounted(crowded, 'point')} of ${points.length} with more CPUs than cores: ` +
        'there the law takes lost cores for contention.';
  return (
    `Universal Scalability Law: one CPU ${formatShort(fit.single)}/s, contention ` +
    `${formatPercent(fit.contention, 1)}, coherency ${formatPercent(fit.coherency, 1)}${peak}; ` +
    `relative error ${formatPercent(fit.residual, 1)}.${lost}`
  );
}
