/** The CPU profiles that Node.js wrote into a folder, one per thread. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpuProfile, type SelfTime, selfTimes } from './self-times.ts';

export interface ThreadProfile {
  readonly file: string;
  /** 0 is the main thread. */
  readonly thread: number;
  readonly times: readonly SelfTime[];
}

export function readProfiles(folder: string): ThreadProfile[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return files
    .map((file) => ({ file, thread: threadOf(file), times: selfTimes(read(join(folder, file))) }))
    .toSorted((a, b) => a.thread - b.thread);
}

/** The name is CPU.date.time.pid.thread.number.cpuprofile. */
function threadOf(file: string): number {
  return Number(file.split('.').at(-3));
}

function read(path: string): CpuProfile {
  return JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
}
