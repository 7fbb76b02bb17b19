/** Plans for the live kernel: on a machine like this one, and no larger than it can hold. */
import { formatSize, PAGE_SIZE_BYTES, parseSize } from '#base/units';
import { X86_64 } from '#live/kernel-peer';
import type { Plan } from '#scenario/plan';
import type { LoadedScenario } from './engine.ts';

/** The parameter of a scenario that divides all of its sizes. */
const DIVISOR = 'scale';
/** Sizes are not cut to less. */
const SIZE_MIN_BYTES = 4 << 20;
export const PAGE_SIZE_KIB = PAGE_SIZE_BYTES / 2 ** 10;
/** Pages that may be touched between two checkpoints, after which resident memory is looked at. */
const SLACK_PAGES = 1 << 16;

/**
 * The plan on a machine as this one is: with the tables of x86-64 and enough memory, and nothing
 * left to chance.
 */
export function ample(plan: Plan, rssMaxKiB: number): Plan {
  const chances = { reschedPerMillion: 0, allocFailPerMillion: 0, noise: 0 };
  const geometry = { ...X86_64, tableFrames: 0 };
  // More than there is may be mapped, if Linux is not to set it aside.
  const isLarge = pagesOf(plan) * PAGE_SIZE_KIB > rssMaxKiB;
  const regions = plan.regions.map((region) =>
    isLarge ? { ...region, flags: [...region.flags, 'noreserve' as const] } : region,
  );
  const pageFrames = framesFor(plan, rssMaxKiB);
  return { ...plan, ...chances, ...geometry, regions, pageFrames };
}

function framesFor(plan: Plan, rssMaxKiB: number): number {
  return Math.min(pagesOf(plan), Math.ceil(rssMaxKiB / PAGE_SIZE_KIB) + SLACK_PAGES);
}

function pagesOf({ regions }: Plan): number {
  return regions.reduce((sum, region) => sum + region.pages, 0);
}

/** What was cut, as notes. */
export function cutNotes(
  given: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): string[] {
  const cut = Object.entries(given).filter(([name, value]) => asked[name] !== value);
  return cut.map(([name, value]) => `${name}=${value}`);
}

/**
 * Sizes of more than a few tables to a quarter, and a divisor of all sizes times four; null: there
 * is nothing to cut.
 */
export function cutDown(
  settings: LoadedScenario['parameters'],
  given: Readonly<Record<string, string>>,
): Record<string, string> | null {
  const cut: Record<string, string> = { ...given };
  for (const { name, default: usual } of settings) {
    const value = given[name] ?? String(usual);
    if (name === DIVISOR) cut[name] = String(4 * Number(value));
    else if (/iB$/.test(value) && parseSize(value) >= 4 * SIZE_MIN_BYTES)
      cut[name] = formatSize(Math.floor(parseSize(value) / 4 / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES);
  }
  return Object.keys(cut).some((name) => cut[name] !== given[name]) ? cut : null;
}
