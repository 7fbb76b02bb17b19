/**
 * A CPU that comes to no end does the same again and again: one round of it is told, and how often
 * it went on so.
 */
import type { Act } from './acts.ts';

/** Rounds that are not yet said to be endless. */
const ROUNDS_MIN = 10;

/**
 * The acts before step `decided` without those of the last CPU's operation that only repeat what it
 * did there before; the last of the round that remains and is about a table says how often.
 */
export function foldRounds(acts: readonly Act[], decided: number): readonly Act[] {
  const last = acts.findLast(({ step }) => step < decided);
  if (last === undefined) return acts;
  const own = acts.filter(
    ({ cpu, operation, step }) =>
      cpu === last.cpu && operation === last.operation && step <= last.step,
  );
  const rounds = own.filter(({ text }) => text === last.text);
  if (rounds.length < ROUNDS_MIN) return acts;
  const latest = own.slice(own.indexOf(rounds.at(-2)!) + 1);
  const said = new Set(latest.map(({ text }) => text));
  const first = new Set([...said].map((text) => own.find((act) => act.text === text)!));
  const told = own.filter((act) => first.has(act));
  const end = told.findLast(({ tables }) => tables.length > 0) ?? told.at(-1);
  const repeats = new Set(own.filter((act) => said.has(act.text) && !first.has(act)));
  return acts
    .filter((act) => !repeats.has(act))
    .map((act) => (act === end ? { ...act, violation: `and so on, ${rounds.length} times` } : act));
}
