/** Trace files: the gzip around a recording's text. */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { UserError } from '#base/user-error';
import type { Recording } from '#scenario/trace/recording';
import { traceLines } from '#scenario/trace/write';

export const TRACE_ENDING = '.trace.gz';

/** A text of more bytes is none that was recorded. */
const TEXT_BYTES_MAX = 2 ** 28;

export function isTraceFile(path: string): boolean {
  return path.endsWith(TRACE_ENDING);
}

export function packTrace(recording: Recording): Uint8Array {
  return gzipSync([...traceLines(recording)].join(''), { level: constants.Z_BEST_COMPRESSION });
}

/** Throws a `UserError` that begins with `name` and the byte at which the data goes wrong. */
export function unpackTrace(packed: Uint8Array, name: string): string {
  if (packed[0] !== 0x1f || packed[1] !== 0x8b)
    throw new UserError(`${name}: byte 0: not the gzip of a trace`);
  try {
    return gunzipSync(packed, { maxOutputLength: TEXT_BYTES_MAX }).toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR')
      throw new UserError(`${name}: byte ${packed.length}: the compressed data breaks off`);
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new UserError(`${name}: byte ${packed.length}: it is larger than any trace`);
    throw new UserError(`${name}: byte ${damagedAt(packed)}: the compressed data is damaged`);
  }
}

/** The longest beginning that is not known to be wrong. */
function damagedAt(packed: Uint8Array): number {
  let good = 0;
  let bad = packed.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (isSound(packed.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isSound(beginning: Uint8Array): boolean {
  try {
    gunzipSync(beginning, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: TEXT_BYTES_MAX,
    });
    return true;
  } catch {
    return false;
  }
}
