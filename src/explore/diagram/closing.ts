/** The last sentence under a diagram: what went wrong, and which acts raced, by their rows. */
import type { Verdict } from '#oracles/verdict';
import type { Act } from './acts.ts';
import type { Group } from './narrate-choice.ts';
import { type Focus, isAbout, type Raced } from './raced.ts';
import type { LockWait } from './waits.ts';

export interface Story {
  readonly verdict: Verdict | null;
  readonly raced: Raced | null;
  readonly waits: readonly LockWait[];
  readonly focus: Focus;
}

export function closingOf(
  { verdict, raced, waits, focus }: Story,
  groups: readonly Group[],
): string {
  if (verdict === null) return 'Nothing is wrong.';
  const circle = circleText(waits, groups);
  if (verdict.kind === 'deadlock' && circle !== null) return `deadlock: ${circle}.`;
  // The rows show the latest acts.
  const wrong = `${verdict.kind}: ${verdict.message.replace(/; latest acts on it: .*/, '')}.`;
  const why = raced === null ? lastTouched(groups, focus) : raceText(raced, groups, verdict.kind);
  return `${wrong} ${why}`.trim();
}

function raceText({ read, change, wrong }: Raced, groups: readonly Group[], kind: string): string {
  const told = (act: Act): string => `cpu${act.cpu} ${act.text} (row ${rowOf(groups, act)})`;
  const end = `(row ${rowOf(groups, wrong)})`;
  if (kind === 'livelock')
    return (
      `After cpu${change.cpu} ${change.text} (row ${rowOf(groups, change)}), ` +
      `cpu${wrong.cpu} comes to no end ${end}.`
    );
  if (read !== null && wrong === change)
    return `The race: ${told(read)}; ${told(change)}; nobody looks again.`;
  if (read === null) return `The race: ${told(change)}; cpu${wrong.cpu} does not heed it ${end}.`;
  return `The race: ${told(read)}; ${told(change)}; cpu${wrong.cpu} goes by what it saw ${end}.`;
}

/** Who took in which row what others wait for; null: somebody waits for something else. */
function circleText(waits: readonly LockWait[], groups: readonly Group[]): string | null {
  const clauses = waits.map(({ blocks, cpu, waitsFor }) => {
    const held = blocks.map((act) => `${act.text} (row ${rowOf(groups, act)})`).join(' and ');
    return held === '' ? null : `cpu${cpu} ${held} and waits for ${waitsFor}`;
  });
  return clauses.length === 0 || clauses.includes(null) ? null : clauses.join('; ');
}

function lastTouched(groups: readonly Group[], focus: Focus): string {
  const row = groups.findLastIndex(({ acts }) => acts.some((act) => isAbout(act, focus)));
  return row < 0 ? '' : `Touched last in row ${row + 1}.`;
}

/** The row in which `act` is told; 0: in none. */
export function rowOf(groups: readonly Group[], act: Act): number {
  return groups.findIndex(({ acts }) => acts.includes(act)) + 1;
}
