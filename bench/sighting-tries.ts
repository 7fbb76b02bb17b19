/** The tries at one broken version: three seeds as it is, then settings for a while each. */
import type { BrokenVersion } from '#catalogue/broken-version';
import { type Rate, SETTINGS, type Sightings } from './sighting-rates.ts';
import { runBroken } from './sighting-run.ts';

const SEEDS = [1, 2, 3];
/** More sightings than these make a rate no better. */
const ENOUGH = 5;
/** Length of the first run of a try. */
const FIRST_MS = 4000;

export async function sightingsOf(
  version: BrokenVersion,
  withinMs: number,
  sliceMs: number,
): Promise<Sightings> {
  const seconds: (number | null)[] = [];
  for (const seed of SEEDS) seconds.push(await secondsToSee(version, seed, withinMs));
  const rates: Rate[] = [];
  for (const { words } of SETTINGS) rates.push(await measure(version, words, sliceMs));
  return { name: version.name, bug: version.bug, seconds, rates };
}

/**
 * Null: it was not seen. What only the audit at the end of a run can see is seen by a short one.
 */
async function secondsToSee(
  version: BrokenVersion,
  seed: number,
  withinMs: number,
): Promise<number | null> {
  let spent = 0;
  for (const durationMs of [FIRST_MS, withinMs - FIRST_MS]) {
    const run = await runBroken(version, ['--seed', `${seed}`], durationMs);
    spent += run.seconds;
    if (run.isSeen) return spent;
  }
  return null;
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
