/** One line on stderr that says how a run goes; only on a terminal, and gone at the end. */
import type { ExploreProgress } from '#explore/explore';
import { formatCount, formatKiB, formatPercent, formatSeconds, formatShort } from '#report/format';
import { clip } from '#report/page';
import type { Plan } from '#scenario/plan';
import type { Progress } from './engine.ts';
import type { Stream } from './io.ts';

export interface ProgressLine {
  show(what: string, progress: Progress): void;
  clear(): void;
}

export function progressLine(stream: Stream): ProgressLine {
  if (!stream.isTerminal) return { show() {}, clear() {} };
  return {
    show(what, progress) {
      stream.write(`${CLEAR_LINE}${clip(`${what}: ${describe(progress)}`, stream.columns - 1)}`);
    },
    clear() {
      stream.write(CLEAR_LINE);
    },
  };
}

export interface ExplorationLine {
  show(plan: Plan, progress: ExploreProgress): void;
  clear(): void;
}

/** The same for a search. */
export function explorationLine(stream: Stream): ExplorationLine {
  if (!stream.isTerminal) return { show() {}, clear() {} };
  let shownAt = -REFRESH_SECONDS;
  return {
    show({ scenario, protocol }, progress) {
      if (progress.seconds - shownAt < REFRESH_SECONDS) return;
      shownAt = progress.seconds;
      const text = `${scenario} under ${protocol}: ${describeSearch(progress)}`;
      stream.write(`${CLEAR_LINE}${clip(text, stream.columns - 1)}`);
    },
    clear() {
      stream.write(CLEAR_LINE);
    },
  };
}

export interface CountLine {
  show(what: string, done: number, of: number): void;
  clear(): void;
}

/** The same for work that is counted. */
export function countLine(stream: Stream): CountLine {
  if (!stream.isTerminal) return { show() {}, clear() {} };
  return {
    show(what, done, of) {
      const text = `${what}: ${formatCount(done)} of ${formatCount(of)}`;
      stream.write(`${CLEAR_LINE}${clip(text, stream.columns - 1)}`);
    },
    clear() {
      stream.write(CLEAR_LINE);
    },
  };
}

const REFRESH_SECONDS = 0.2;
const CLEAR_LINE = '\r\u001b[2K';

function describe(progress: Progress): string {
  const facts = progress.facts > 0 ? `, ${formatShort(progress.facts)} facts to judge` : '';
  return (
    `${progress.phase} ${formatSeconds(progress.seconds)}, ` +
    `VmPTE ${formatKiB(progress.vmpteKiB)}, ` +
    `${formatShort(progress.faultsPerSecond)} faults/s${facts}`
  );
}

function describeSearch({ activity, seconds, figures }: ExploreProgress): string {
  if (activity === 'shrink') return `shrinking what was found, ${formatSeconds(seconds)}`;
  const { executions, traces, states, violations, newShare, done } = figures;
  const left =
    done === null
      ? `${formatPercent(newShare, 1)} of the latest new`
      : `${formatPercent(done, 1)} done`;
  return [
    formatSeconds(seconds),
    `${formatShort(executions)} executions (${formatShort(executions / seconds)}/s)`,
    ...[`${formatShort(traces)} traces`, left, `${formatShort(states)} final states`],
    `${violations} violations`,
  ].join(', ');
}
