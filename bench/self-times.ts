/** Reads a V8 CPU profile: how much time was spent in each function itself. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The fields of a `.cpuprofile` that are used here. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0. */
      readonly lineNumber: number;
    };
  }[];
  /** Node on top of the stack at each sample, and the time since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** `file:line`, or empty for what V8 does itself. */
  readonly place: string;
  readonly us: number;
}

/** One entry per function, most time first; a function reached on several paths is one entry. */
export function selfTimes(profile: CpuProfile): SelfTime[] {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const totals = new Map<string, SelfTime>();
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id);
    if (!frame) return;
    const name = frame.functionName || '(anonymous)';
    const place = frame.url === '' ? '' : `${shorten(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${name} ${place}`;
    const us = (totals.get(key)?.us ?? 0) + profile.timeDeltas[i];
    totals.set(key, { name, place, us });
  });
  return [...totals.values()].sort((a, b) => b.us - a.us);
}

/** Below the present folder; of an installed package, below node_modules wherever that is. */
function shorten(url: string): string {
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(url);
  const installed = path.lastIndexOf('/node_modules/');
  return installed < 0 ? relative(process.cwd(), path) : path.slice(installed + 1);
}
