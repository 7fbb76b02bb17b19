/** A scenario file for a list of linear operations, as a person would write it. */
import { stringify } from 'yaml';
import type { Op, Plan } from './plan.ts';
import { writtenOp } from './written-op.ts';

/** Where it comes from, and what it asks. */
export interface Origin {
  readonly question: string;
  readonly source: string;
  /** The regions as a file has them: sizes and gaps. */
  readonly regions: Readonly<Record<string, { readonly size: string; readonly gap: string }>>;
}

export function writtenScenario(
  origin: Origin,
  plan: Pick<Plan, 'regions'>,
  ops: readonly Op[],
): string {
  const { question, source, regions } = origin;
  const column = { cpu: 0, do: ops.map((op) => writtenOp(op, plan.regions)) };
  const file = { question, source, machine: { cpus: 1 }, regions, columns: [column] };
  return stringify(file, { lineWidth: 100 });
}
