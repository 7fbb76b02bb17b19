/** Which CPU runs which column. A CPU that no column names is idle, but for meeting the others. */
import { UserError } from '#base/user-error';
import type { Path } from './document.ts';
import type { Op } from './plan.ts';
import { rendezvousOf } from './rendezvous.ts';
import type { CpuSelector } from './schema.ts';
import type { Scope } from './scope.ts';

export interface Column {
  readonly cpu: CpuSelector;
  readonly ops: readonly Op[];
  /** Of the column in the file. */
  readonly path: Path;
}

/** The operations of each of `cpus` CPUs; a CPU that two columns name is a problem. */
export function assignColumns(scope: Scope, columns: readonly Column[], cpus: number): Op[][] {
  const assigned: (readonly Op[] | undefined)[] = Array(cpus).fill(undefined);
  const rest = columns.filter((column) => column.cpu === 'rest');
  for (const column of [...columns.filter((column) => column.cpu !== 'rest'), ...rest]) {
    const isFree = (cpu: number): boolean => assigned[cpu] === undefined;
    const chosen = Array.from({ length: cpus }, (_, cpu) => cpu).filter((cpu) =>
      column.cpu === 'rest' ? isFree(cpu) : names(column.cpu, cpu),
    );
    const taken = chosen.find((cpu) => !isFree(cpu));
    if (taken !== undefined)
      scope.report([...column.path, 'cpu'], `CPU ${taken} has a column already`);
    for (const cpu of chosen) assigned[cpu] ??= column.ops;
  }
  if (rest.length > 1) {
    scope.report([...rest[1]!.path, 'cpu'], 'there is a column for the rest already');
  }
  const idle = rendezvousOf(columns[0]!.ops);
  return assigned.map((ops) => [...(ops ?? idle)]);
}

/** Throws a `UserError` when a column names a CPU that the run does not have. */
export function checkCpus(scenario: string, columns: readonly Column[], cpus: number): void {
  const missing = highestCpu(columns);
  if (missing < cpus) return;
  const have = cpus === 1 ? '1 CPU (0)' : `${cpus} CPUs (0-${cpus - 1})`;
  throw new UserError(
    `cpu ${missing} in "${scenario}": the run has ${have}; raise --cpus or drop the column`,
  );
}

/** The highest CPU that a column names by number, or -1. */
export function highestCpu(columns: readonly Pick<Column, 'cpu'>[]): number {
  const numbers = columns.flatMap(({ cpu }) => (Array.isArray(cpu) ? cpu : [cpu]));
  return Math.max(-1, ...numbers.filter((cpu) => typeof cpu === 'number'));
}

function names(selector: CpuSelector, cpu: number): boolean {
  switch (selector) {
    case 'all':
      return true;
    case 'even':
      return cpu % 2 === 0;
    case 'odd':
      return cpu % 2 === 1;
    case 'rest':
      return false;
    default:
      return Array.isArray(selector) ? selector.includes(cpu) : selector === cpu;
  }
}
