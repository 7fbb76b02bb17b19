/**
 * The diagrams of scenarios/posted-2022.md: each broken version that the page has markers for is
 * explored with the same seed, by one searcher and with time to shrink, so that the same is found
 * and becomes as small again.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { CATALOGUE } from '#catalogue/catalogue';
import { renderInterleaving } from '#report/diagram';
import { formatCounted } from '#report/format';
import type { Exploration } from '#result/exploration';
import { partsOf, withPart } from './marked-parts.ts';
import { inPackage } from './root.ts';

const PAGE = inPackage('scenarios', 'posted-2022.md');
const SEED = 1;
const SHRINK = '20s';
/** A document has every step. */
const OUTPUT_BYTES_MAX = 1 << 28;

/** Writes the page anew; whether every race was found by its own oracle. */
export function renewPostedPage(): boolean {
  let page = readFileSync(PAGE, 'utf8');
  let isAsExpected = true;
  for (const name of partsOf(page)) {
    const version = CATALOGUE.find((each) => each.name === name);
    const lines = version === undefined ? null : diagramOf(name, version.oracle);
    process.stderr.write(`${name}: ${lines === null ? 'NOT FOUND' : 'found'}\n`);
    if (lines === null) isAsExpected = false;
    else page = withPart(page, name, lines, PAGE);
  }
  writeFileSync(PAGE, page);
  return isAsExpected;
}

/** What went wrong, the diagram, and the word that replays it; null: the oracle did not fire. */
function diagramOf(name: string, oracle: string): string[] | null {
  const words = ['explore', '--broken', name, '--searchers', '1', '--seed', String(SEED)];
  const { stdout } = spawnSync(
    execPath,
    [inPackage('dist', 'src', 'cli', 'main.js'), ...words, '--shrink', SHRINK, '--json', '-'],
    { maxBuffer: OUTPUT_BYTES_MAX },
  );
  const { violations, scenario, protocol } = JSON.parse(String(stdout)) as Exploration;
  const violation = violations.find(({ kind }) => kind === oracle);
  if (violation === undefined) return null;
  const { kind, message, interleaving, replay, shrunk } = violation;
  const { operations, preemptions } = shrunk;
  return [
    `\`${kind}\` in \`${scenario}\` under \`${protocol}\`: ${message}. ` +
      `${formatCounted(operations, 'operation')}, ${formatCounted(preemptions, 'preemption')}.`,
    '',
    ...renderInterleaving(interleaving, { width: 100, format: 'markdown' }).trimEnd().split('\n'),
    '',
    `    pttorture replay ${replay}`,
  ];
}
