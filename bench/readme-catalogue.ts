/**
 * The table of the catalogue: what exploring each broken version came to, and how often free
 * threads met the race.
 */
import type { BrokenVersion } from '#catalogue/broken-version';
import { formatSeconds, formatShort } from '#report/format';
import { type CatalogueEntry, type CatalogueReport, THREADS_AGREE } from '#result/catalogue';
import { rateOf, rateText, SETTINGS, type Sightings } from './sighting-rates.ts';

export const CATALOGUE_HEAD: readonly string[] = [
  ...['bug', 'broken version', 'must show', 'explored', 'smallest', 'again', 'run: three tries'],
  ...SETTINGS.map(({ head }) => head),
];

/** A row for each version that belongs to a race; `report` and `sightings` may have others. */
export function catalogueRows(
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
  const threads = replays.threads === THREADS_AGREE ? 'threads too' : 'NOT ON THREADS';
  return [
    `${kind}${spent}`,
    `${operations} operations, ${preemptions} preemptions`,
    `${replays.alike} of ${replays.times}, ${threads}`,
  ];
}

function sightedCells({ seconds, rates }: Sightings): string[] {
  const tries = seconds.map((each) => (each === null ? 'missed' : formatSeconds(each)));
  return [tries.join(', '), ...rates.map((rate) => rateText(rateOf(rate)))];
}
