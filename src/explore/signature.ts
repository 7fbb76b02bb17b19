/**
 * Which violations count as the same: those whose first verdict is of one kind and says the same
 * but for numbers. CPUs, tables and addresses are others in every execution.
 */
import type { Verdict } from '#oracles/verdict';

const NUMBER = /\b0x[\da-f]+|\d+/gi;

/** Empty for no verdicts. */
export function signature(verdicts: readonly Verdict[]): string {
  const [first] = verdicts;
  return first === undefined ? '' : `${first.kind}: ${first.message.replace(NUMBER, '#')}`;
}
