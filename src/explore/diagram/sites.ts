/**
 * Where in the sources a CPU is: from a stack trace taken at a passage. In the stepped form it
 * shows the whole chain of calls, because `yield*` resumes a coroutine through all its frames.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { InterleavingSite } from '#result/interleaving';

/** A frame of the tree, as the engine tells it: functions of a class without its name. */
export interface Frame {
  readonly function: string;
  /** Path in the tree, as in `mm/zap.js`. */
  readonly path: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Deeper than any chain of calls is. */
const FRAMES_MAX = 80;
/** Rooms and files that carry out what others mean: a site is one of those. */
const PLUMBING = /^(arena|trace|sync)\/|^mm\/(pgtable|page-state|free-list)\.js$/;
/** Inner halves, whose callers say more. */
const INNER = new Set([
  ...['mapOnly', 'isHooked', 'walk', 'walkUpper', 'walkToPmd', 'unhookAndLeave', 'release'],
  ...['allocationFails', 'pwcFill', 'tlbFill', 'checkTranslation', 'checkEmpty'],
  ...['flushAsRecorded', 'numberFlush', 'carryOutFlushes'],
  ...['checkOutOfMemory', 'checkLockDropped', 'pteOffsetMapHeld'],
]);
const ROOT = /\/(?:stepped|plain|src)\/((?:arena|trace|arch|sync|mm|reclaim|tasks)\/[\w/-]+\.js)$/;

/** The frames of the tree that lead to the caller, innermost first. */
export function framesHere(): Frame[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = FRAMES_MAX;
    Error.prepareStackTrace = (_, calls) => calls;
    const calls = new Error().stack as unknown as NodeJS.CallSite[];
    return calls.flatMap((call): Frame[] => {
      const file = call.getFileName() ?? '';
      const path = ROOT.exec(file)?.[1];
      if (path === undefined) return [];
      const name = call.getFunctionName() ?? '';
      return [
        {
          function: name.slice(name.lastIndexOf('.') + 1),
          ...{ path, file, line: call.getLineNumber() ?? 0, column: call.getColumnNumber() ?? 0 },
        },
      ];
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/** Whether one of the frames is of the function `name`. */
export function isWithin(frames: readonly Frame[], name: string): boolean {
  return frames.some((frame) => frame.function === name);
}

/** Turns frames into sites; reads each file's source map once. */
export class Sites {
  private readonly maps = new Map<string, SourceMap | null>();

  /** The innermost function that means something by the access. */
  of(frames: readonly Frame[]): InterleavingSite | null {
    const frame =
      frames.find((each) => !PLUMBING.test(each.path) && !INNER.has(each.function)) ?? frames[0];
    if (frame === undefined) return null;
    const file = `src/${frame.path.replace(/\.js$/, '.ts')}`;
    return { function: frame.function, file, line: this.lineOf(frame) };
  }

  private lineOf({ file, line, column }: Frame): number {
    const entry = this.mapOf(file)?.findEntry(line - 1, column - 1);
    return entry !== undefined && 'originalLine' in entry ? entry.originalLine + 1 : line;
  }

  private mapOf(file: string): SourceMap | null {
    const known = this.maps.get(file);
    if (known !== undefined) return known;
    const url = new URL(file, 'file:///');
    const named = /\/\/# sourceMappingURL=(.*)\s*$/.exec(readFileSync(fileURLToPath(url), 'utf8'));
    const at = named === null ? null : fileURLToPath(new URL(named[1]!, url));
    const map = at === null || !existsSync(at) ? null : parsed(readFileSync(at, 'utf8'));
    this.maps.set(file, map);
    return map;
  }
}

/** Null while a build is writing it; then lines are those of the emitted file. */
function parsed(text: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
