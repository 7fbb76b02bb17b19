/** The tries at one broken version: three seeds as it is, then settings for a while each. */
import type { BrokenVersion } from '#catalogue/broken-version';
import { type Rate, SETTINGS, type Sightings } from './sighting-rates.ts';
import { runBroken } from './sighting-run.ts';

const SEEDS = [1, 2, 3];
/** More sightings than these make a rate no better. */
const ENOUGH = 5;

export async function sightingsOf(
  version: BrokenVersion,
  withinMs: number,
  sliceMs: number,
): Promise<Sightings> {
  const seconds: (number | null)[] = [];
  for (const seed of SEEDS) {
    const run = await runBroken(version, ['--seed', `${seed}`], withinMs);
    seconds.push(run.isSeen ? run.seconds : null);
  }
  const rates: Rate[] = [];
  for (const { words } of SETTINGS) rates.push(await measure(version, words, sliceMs));
  return { name: version.name, bug: version.bug, seconds, rates };
}

/** Runs until the race was seen often enough, or for so long in all. */
async function measure(
  version: BrokenVersion,
  words: readonly string[],
  sliceMs: number,
): Promise<Rate> {
  const rate = { seen: 0, operations: 0 };
  let leftMs = sliceMs;
  for (let seed = 1; leftMs > 0 && rate.seen < ENOUGH; seed++) {
    const run = await runBroken(version, [...words, '--seed', `${seed}`], leftMs);
    rate.seen += Number(run.isSeen);
    rate.operations += run.operations;
    // What is spent on starting and judging counts too, so that no slice takes for ever.
    leftMs -= Math.max(run.wallMs, 1);
  }
  return rate;
}
