/**
 * What a CPU was found doing, in the few words that a picture has colours for: the families of
 * operations, and how each looks.
 */
import type { Timeline, TimelineSample } from '#result/timeline';

/** In the order of the key; the style has a colour for each, and waiting is drawn paler. */
export const FAMILIES = ['touch', 'give back', 'map', 'reclaim', 'walk', 'sleep', 'other'] as const;

export type Family = (typeof FAMILIES)[number];

/** Which operations a family has, as the key says. */
export const FAMILY_WORDS: Readonly<Record<Family, string>> = {
  touch: 'touch: user reads and writes, and their faults',
  'give back': 'give back: dontneed, purge, punch, madvise',
  map: 'map: mmap and munmap',
  reclaim: 'reclaim: of pages, under pressure, by scans',
  walk: 'walk: other walkers of page tables',
  sleep: 'sleep, as the scenario has it',
  other: 'nothing noted',
};

const BY_WORD: Readonly<Record<string, Family>> = {
  touch: 'touch',
  ...{ dontneed: 'give back', purge: 'give back', punch: 'give back', madvise: 'give back' },
  ...{ mmap: 'map', munmap: 'map', reclaim: 'reclaim', pressure: 'reclaim', scan: 'reclaim' },
  ...{ walk: 'walk', sleep: 'sleep' },
};

/** `act` by its name, or undefined where none was noted. */
export function familyOf(act: string | undefined): Family {
  return BY_WORD[act?.split(' ', 1)[0] ?? ''] ?? 'other';
}

export const WAITING = 1;
export const OVER = 2;

/** `dontneed, as madvise, waiting`. */
export function momentText(timeline: Timeline, sample: TimelineSample, cpu: number): string {
  const { acts, actors } = timeline;
  if (sample.waits[cpu] === OVER) return 'done, waiting for the others';
  const act = acts[sample.act[cpu]!] ?? 'nothing noted';
  const actor = actors[sample.actor[cpu]!];
  const waiting = sample.waits[cpu] === WAITING ? ', waiting' : '';
  return `${act}${actor === undefined ? '' : `, as ${actor}`}${waiting}`;
}

/** Of each family, in which share of the moments `cpu` ran it, and waited in it. */
export function shares({ acts, samples }: Timeline, cpu: number): Map<Family, [number, number]> {
  const found = new Map<Family, [number, number]>();
  for (const { act, waits } of samples) {
    if (waits[cpu] === OVER) continue;
    const family = familyOf(acts[act[cpu]!]);
    const share = found.get(family) ?? [0, 0];
    share[waits[cpu] === WAITING ? 1 : 0] += 1 / samples.length;
    found.set(family, share);
  }
  return found;
}
