/**
 * The table of scenarios/catalogue.md: what exploring each broken version came to, and how often
 * free threads met the race.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { type BrokenVersion, CONTROL } from '#catalogue/broken-version';
import { CATALOGUE } from '#catalogue/catalogue';
import { formatCounted, formatSeconds, formatShort } from '#report/format';
import {
  type CatalogueEntry,
  type CatalogueReport,
  isAlike,
  isAsNamed,
  isOnThreads,
} from '#result/catalogue';
import { withPart } from './marked-parts.ts';
import { inPackage } from './root.ts';
import { rateOf, rateText, SETTINGS, type Sightings } from './sighting-rates.ts';

const PAGE = inPackage('scenarios', 'catalogue.md');
/** Where the measurements are, or will be: in the folder in which the program runs. */
const EXPLORED = 'catalogue.json';
const SIGHTED = 'sightings.json';

const HEAD: readonly string[] = [
  ...['bug', 'broken version', 'must show', 'explored', 'smallest', 'again', 'run: three tries'],
  ...SETTINGS.map(({ head }) => head),
];

/** Writes the page anew; whether every race was found as its entry says. */
export async function renewCatalogue(): Promise<boolean> {
  const main = inPackage('dist', 'src', 'cli', 'main.js');
  measure(EXPLORED, [main, 'explore', '--broken', 'all', '--controls', '--json', EXPLORED]);
  measure(SIGHTED, [inPackage('dist', 'bench', 'sightings.js'), '--json', SIGHTED]);
  const report: CatalogueReport = JSON.parse(readFileSync(EXPLORED, 'utf8'));
  const sightings: Sightings[] = JSON.parse(readFileSync(SIGHTED, 'utf8'));
  const versions = CATALOGUE.filter(({ bug }) => bug !== CONTROL);
  const lines = [
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map(() => '---|').join('')}`,
    ...catalogueRows(versions, report, sightings),
    '',
    ...summary(versions, report, sightings),
  ];
  writeFileSync(PAGE, withPart(readFileSync(PAGE, 'utf8'), 'catalogue', lines, PAGE));
  return report.entries.every(isAsNamed);
}

function measure(file: string, words: readonly string[]): void {
  if (!existsSync(file)) spawnSync(execPath, words, { stdio: 'inherit' });
}

/** What all of it comes to, and on which machine. */
function summary(
  versions: readonly BrokenVersion[],
  { entries, controls, machine, seconds }: CatalogueReport,
  sightings: readonly Sightings[],
): string[] {
  const ours = entries.filter(({ bug }) => bug !== CONTROL);
  const found = ours.filter(({ outcome }) => outcome === 'found');
  const again = ours.filter(isAlike);
  const agree = ours.filter(isOnThreads);
  const caught = sightings.filter((each) => each.seconds.every((one) => one !== null));
  const searched = Math.min(...controls.map(({ exploration }) => exploration.seconds));
  const silent = controls.filter(({ exploration }) => exploration.violations.length === 0);
  const rare = versions.flatMap(({ name, rare: why }) =>
    why === undefined ? [] : [{ name, why }],
  );
  return [
    `${found.length} of ${versions.length} were found by the oracle named, ${again.length} ` +
      `replayed every time, ${agree.length} on real threads too; ${caught.length} were met by ` +
      `free-running threads in three of three tries. ${silent.length} of ${controls.length} ` +
      `controls were silent for ${formatSeconds(searched)} each. ${machine.cores} cores, Node.js ` +
      `${machine.node}; the exploration of all took ${formatSeconds(seconds)}.`,
    ...rare.flatMap(({ name, why }) => ['', `\`${name}\` in free runs: ${why}.`]),
  ];
}

/** A row for each version that belongs to a race; `report` and `sightings` may have others. */
function catalogueRows(
  versions: readonly BrokenVersion[],
  report: CatalogueReport,
  sightings: readonly Sightings[],
): string[] {
  return versions.map((version) => {
    const entry = report.entries.find(({ name }) => name === version.name);
    const seen = sightings.find(({ name }) => name === version.name);
    const { bug, name, summary, protocol, scenario, oracle } = version;
    return `| ${[
      ...[bug, `\`${name}\`: ${summary}`, `\`${oracle}\` in \`${scenario}\`, \`${protocol}\``],
      ...(entry === undefined ? ['not run', '', ''] : exploredCells(entry)),
      ...(seen === undefined ? ['not run', ...SETTINGS.map(() => '')] : sightedCells(seen)),
    ].join(' | ')} |`;
  });
}

function exploredCells({ exploration, outcome, replays }: CatalogueEntry): string[] {
  const { executions, seconds, violations } = exploration;
  const spent = `${formatShort(executions)} in ${formatSeconds(seconds)}`;
  const [violation] = violations;
  if (violation === undefined || replays === null) return [`SILENT, ${spent}`, '', ''];
  const { operations, preemptions } = violation.shrunk;
  const kind = outcome === 'found' ? '' : `${violation.kind}, `;
  const threads = isOnThreads({ replays }) ? 'threads too' : 'NOT ON THREADS';
  return [
    `${kind}${spent}`,
    `${formatCounted(operations, 'operation')}, ${formatCounted(preemptions, 'preemption')}`,
    `${replays.alike} of ${replays.times}, ${threads}`,
  ];
}

function sightedCells({ seconds, rates }: Sightings): string[] {
  const tries = seconds.map((each) => (each === null ? 'missed' : formatSeconds(each)));
  return [tries.join(', '), ...rates.map((rate) => rateText(rateOf(rate)))];
}
