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
import { rateOf, rateText, SETTINGS, type Sightings } from './sighting-rates.ts';
import { sightingsOf } from './sighting-tries.ts';

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

function line({ bug, name, seconds, rates }: Sightings): string {
  const tries = seconds.map((each) => (each === null ? 'missed' : formatSeconds(each)));
  const often = SETTINGS.map(({ head }, i) => `${head} ${rateText(rateOf(rates[i]!))}`).join(', ');
  return `${bug.padEnd(8)}${name}: ${tries.join(', ')}; per million operations: ${often}`;
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
