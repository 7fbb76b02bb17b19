/** From a place in what tsc emitted to the line of the TypeScript source that it comes from. */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

export interface SourcePlace {
  /** Relative to the sources: `mm/fault.ts`. */
  readonly path: string;
  /** Null: the map says nothing of the place. */
  readonly line: number | null;
}

/** `line` from 1, `column` from 0, of `path` below the folder `emitted`; null: it has no map. */
export function sourcePlace(
  emitted: string,
  path: string,
  line: number,
  column: number,
): SourcePlace | null {
  const map = join(emitted, `${path}.map`);
  if (!existsSync(map)) return null;
  const entry = mapIn(map).findEntry(line - 1, column);
  return {
    path: path.replace(/\.js$/, '.ts'),
    line: 'originalLine' in entry ? entry.originalLine + 1 : null,
  };
}

/** The map read last: whoever asks for places asks for many of one module. */
let last: { readonly file: string; readonly map: SourceMap } | null = null;

function mapIn(file: string): SourceMap {
  if (last?.file !== file)
    last = { file, map: new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) };
  return last.map;
}
