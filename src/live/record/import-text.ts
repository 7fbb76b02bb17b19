/** A text that perf script or strace printed elsewhere becomes a recording. */
import { PAGE_SIZE_BYTES } from '#base/units';
import { UserError } from '#base/user-error';
import { RecordingBuilder } from '#scenario/trace/builder';
import { importPerf, isPerfLine } from '#scenario/trace/import-perf';
import { importStrace, isStraceLine } from '#scenario/trace/import-strace';
import type { Recording } from '#scenario/trace/recording';
import { textLines } from './text-lines.ts';

/** Lines that are looked through for one that says what printed them. */
const LOOKED_THROUGH_MAX = 100;

/** Throws a `UserError` that begins with the path and the number of a line. */
export function importText(path: string): Recording {
  const made = madeBy(path);
  const builder = new RecordingBuilder(made === 'strace', []);
  const program = (made === 'perf' ? importPerf : importStrace)(textLines(path), path, builder);
  return builder.finish({
    program: program ?? 'unknown',
    arguments: [],
    recordedAt: 'unknown',
    recordedWith: made,
    touches: made === 'perf' ? 'recorded' : 'assumed',
    kernel: 'unknown',
    pageSize: PAGE_SIZE_BYTES,
    transparentHugePages: 'unknown',
  });
}

function madeBy(path: string): 'perf' | 'strace' {
  let number = 0;
  for (const line of textLines(path)) {
    if (isPerfLine(line)) return 'perf';
    if (isStraceLine(line)) return 'strace';
    if (++number === LOOKED_THROUGH_MAX) break;
  }
  throw new UserError(
    `${path}: line 1: neither perf script -F pid,tid,time,event,addr,trace nor strace -f -ttt ` +
      '-o FILE wrote this',
  );
}
