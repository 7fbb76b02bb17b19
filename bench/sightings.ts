/**
 * How often free-running threads meet each known race: `npm run sightings -- [NAME ...] [--within
 * 120s] [--slice 20s] [--json FILE]`. Each broken version is run as `run --broken NAME` runs it,
 * with three seeds, each for at most `--within`; then with 2 and with 8 CPUs, without noise and
 * with, again and again for `--slice`, which gives the sightings per million operations.
 *
 * Exit status: 0, or 1 where a version that is not said to be rare was missed in one of the three.
 */
import { writeFileSync } from 'node:fs';
import { parseDuration } from '#base/units';
import { UserError } from '#base/user-error';
import { type BrokenVersion, CONTROL } from '#catalogue/broken-version';
import { CATALOGUE } from '#catalogue/catalogue';
import { formatSeconds } from '#report/format';
import { parseFlags } from './flags.ts';
import { print, runProgram } from './program.ts';
import { type Rate, rateOf, rateText, SETTINGS, type Sightings } from './sighting-rates.ts';
import { runBroken } from './sighting-run.ts';

const SEEDS = [1, 2, 3];
/** More sightings than these make a rate no better. */
const ENOUGH = 5;

async function main(): Promise<number> {
  const { values, positionals } = parseFlags(process.argv.slice(2), ['within', 'slice', 'json']);
  const withinMs = parseDuration(values.within ?? '120s');
  const sliceMs = parseDuration(values.slice ?? '20s');
  const versions = chosen(positionals);
  const all: Sightings[] = [];
  for (const version of versions) {
    const sightings = await sightingsOf(version, withinMs, sliceMs);
    all.push(sightings);
    print(line(sightings));
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`);
  }
  const caught = all.filter(({ seconds }) => seconds.every((each) => each !== null));
  print(`${caught.length} of ${all.length} caught with every seed`);
  const isMissed = ({ name, seconds }: Sightings): boolean =>
    seconds.includes(null) && versions.find((each) => each.name === name)?.rare === undefined;
  return all.some(isMissed) ? 1 : 0;
}

async function sightingsOf(
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

function line({ bug, name, seconds, rates }: Sightings): string {
  const tries = seconds.map((each) => (each === null ? 'missed' : formatSeconds(each)));
  const often = SETTINGS.map(({ head }, i) => `${head} ${rateText(rateOf(rates[i]!))}`);
  return `${bug.padEnd(8)}${name}: ${tries.join(', ')}; per million operations: ${often.join(', ')}`;
}

function chosen(names: readonly string[]): readonly BrokenVersion[] {
  const races = CATALOGUE.filter(({ bug }) => bug !== CONTROL);
  if (names.length === 0) return races;
  return names.map((name) => {
    const found = CATALOGUE.find((version) => version.name === name);
    if (found === undefined)
      throw new UserError(`no broken version "${name}"; see pttorture list broken`);
    return found;
  });
}

await runProgram('sightings', main);
