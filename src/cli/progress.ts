/** One line on stderr that says how a run goes; only on a terminal, and gone at the end. */
import { formatKiB, formatSeconds, formatShort } from '#report/format';
import { clip } from '#report/page';
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

const CLEAR_LINE = '\r\u001b[2K';

function describe(progress: Progress): string {
  const facts = progress.facts > 0 ? `, ${formatShort(progress.facts)} facts to judge` : '';
  return (
    `${progress.phase} ${formatSeconds(progress.seconds)}, ` +
    `VmPTE ${formatKiB(progress.vmpteKiB)}, ` +
    `${formatShort(progress.faultsPerSecond)} faults/s${facts}`
  );
}
