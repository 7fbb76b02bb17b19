/**
 * Why a goal is missed: the variant behind it is sampled once more, in a process of its own under
 * V8's profiler, and the functions in which its threads spent most time of their own are told. What
 * Node.js and packages do is left out: it is how threads start, and how they wait for work.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readProfiles, type ThreadProfile } from './cpu-profiles.ts';
import type { MeasuredFigure } from './harness.ts';
import { inPackage } from './root.ts';
import type { SelfTime } from './self-times.ts';

export interface VariantProfile {
  readonly variant: string;
  /** Names of the figures that miss their goals. */
  readonly figures: readonly string[];
  /** Most time first; empty where no profile could be taken. */
  readonly functions: readonly {
    readonly name: string;
    /** `file:line`, or empty for what V8 does itself. */
    readonly place: string;
    readonly percent: number;
  }[];
}

const TOP = 12;
/** Sampled so much longer than a sample of the bench, so that little of it is start. */
const LONGER = 3;
/** What V8 does for our code has no place of its own. */
const COLLECTOR = '(garbage collector)';
const NOT_OURS = /^(node:|node_modules\/|$)/;

/** One profile for each variant that stands behind a missed goal. */
export function profileMissed(
  group: string,
  figures: readonly MeasuredFigure[],
  ms: number,
): VariantProfile[] {
  const missed = new Map<string, string[]>();
  for (const { name, profile } of figures)
    if (profile !== null) missed.set(profile, [...(missed.get(profile) ?? []), name]);
  return [...missed].map(([variant, names]) => {
    return { variant, figures: names, functions: selfTimesOf(group, variant, ms) };
  });
}

function selfTimesOf(group: string, variant: string, ms: number): VariantProfile['functions'] {
  const parent = inPackage('dist', 'profile');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'bench-'));
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const sample = inPackage('dist', 'bench', 'sample.js');
    spawnSync(process.execPath, [...flags, sample, group, variant, String(LONGER * ms)]);
    return busiest(readProfiles(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of all threads together but the main one, which only waits for them. */
export function busiest(profiles: readonly ThreadProfile[]): VariantProfile['functions'] {
  const totals = new Map<string, SelfTime>();
  let allUs = 0;
  for (const { times } of profiles.filter(({ thread }) => thread !== 0))
    for (const { name, place, us } of times.filter(isOurs)) {
      const key = `${name} ${place}`;
      totals.set(key, { name, place, us: us + (totals.get(key)?.us ?? 0) });
      allUs += us;
    }
  const sorted = [...totals.values()].sort((a, b) => b.us - a.us).slice(0, TOP);
  return sorted.map(({ name, place, us }) => ({ name, place, percent: (100 * us) / allUs }));
}

function isOurs({ name, place }: SelfTime): boolean {
  return name === COLLECTOR || !NOT_OURS.test(place);
}
