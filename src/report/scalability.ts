/**
 * The Universal Scalability Law (Gunther, "Guerrilla Capacity Planning", 2007): with n CPUs the
 * throughput is n / (1 + contention (n - 1) + coherency n (n - 1)) times that of one. Contention is
 * the share of the work that must be done by one CPU at a time, coherency what each pair of CPUs
 * costs beyond that.
 */

export interface Measured {
  readonly cpus: number;
  /** In any unit, above 0. */
  readonly throughput: number;
}

export interface ScalabilityFit {
  /** Throughput of one CPU, in the unit of what was measured. */
  readonly single: number;
  readonly contention: number;
  readonly coherency: number;
  /** Root of the mean square of the relative errors of 1 / throughput. */
  readonly residual: number;
  /** With more CPUs than this throughput falls; null: it does not. */
  readonly peakCpus: number | null;
}

/** Measured numbers of CPUs that a fit needs. */
const POINTS_MIN = 3;

/** Null where too few different numbers of CPUs were measured. */
export function fitScalability(points: readonly Measured[]): ScalabilityFit | null {
  if (new Set(points.map(({ cpus }) => cpus)).size < POINTS_MIN) return null;
  const candidates = TERMS.map((terms) => fitTerms(points, terms)).filter((fit) => fit !== null);
  candidates.sort((a, b) => a.residual - b.residual);
  return candidates[0] ?? null;
}

/** What the law, so fitted, says of `cpus`. */
export function predicted(fit: ScalabilityFit, cpus: number): number {
  const { single, contention, coherency } = fit;
  return (single * cpus) / (1 + contention * (cpus - 1) + coherency * cpus * (cpus - 1));
}

type Term = (cpus: number) => number;

const CONTENTION: Term = (cpus) => cpus - 1;
const COHERENCY: Term = (cpus) => cpus * (cpus - 1);
/** Neither term may be negative: the best fit has both, one or none of them. */
const TERMS: readonly (readonly Term[])[] = [
  [CONTENTION, COHERENCY],
  [CONTENTION],
  [COHERENCY],
  [],
];

/**
 * Least squares of n / throughput, which is linear in the terms, each point weighted so that errors
 * are relative; null where a term comes out negative, or contention as more than
 * all of the work.
 */
function fitTerms(points: readonly Measured[], terms: readonly Term[]): ScalabilityFit | null {
  const rows = points.map(({ cpus, throughput }) =>
    [1, ...terms.map((term) => term(cpus))].map((value) => (value * throughput) / cpus),
  );
  const solved = leastSquares(rows);
  if (solved === null || solved.some((value, i) => value < 0 || (i === 0 && value === 0)))
    return null;
  const [perOne, ...shares] = solved as [number, ...number[]];
  const share = (term: Term): number => (shares[terms.indexOf(term)] ?? 0) / perOne;
  if (share(CONTENTION) > 1) return null;
  const errors = rows.map((row) => row.reduce((sum, value, i) => sum + value * solved[i]!, -1));
  const [contention, coherency] = [share(CONTENTION), share(COHERENCY)];
  return {
    ...{ single: 1 / perOne, contention, coherency },
    residual: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length),
    peakCpus: coherency > 0 ? Math.max(1, Math.sqrt((1 - contention) / coherency)) : null,
  };
}

/** The x for which each row times x comes closest to 1; null where it is not determined. */
function leastSquares(rows: readonly (readonly number[])[]): number[] | null {
  const size = rows[0]!.length;
  const normal = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) =>
      rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0),
    ),
    rows.reduce((sum, row) => sum + row[i]!, 0),
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = normal[i]![i]!;
    if (Math.abs(pivot) < 1e-12) return null;
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = normal[k]![i]! / pivot;
      for (let j = i; j <= size; j++) normal[k]![j] = normal[k]![j]! - factor * normal[i]![j]!;
    }
  }
  return normal.map((row, i) => row[size]! / row[i]!);
}
