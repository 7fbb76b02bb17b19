/** What silence is worth: how likely a bug would have been found, had there been one. */

/**
 * The least chance with which one execution under PCT finds a bug of depth `depth` (Burckhardt et
 * al., theorem 9), where an execution takes at most `steps` steps.
 */
export function pctBound(cpus: number, steps: number, depth: number): number {
  return 1 / (cpus * steps ** (depth - 1));
}

/** The chance that `executions` executions find what each finds with a chance of `bound`. */
export function chanceToFind(bound: number, executions: number): number {
  return executions === 0 ? 0 : -Math.expm1(executions * Math.log1p(-bound));
}
