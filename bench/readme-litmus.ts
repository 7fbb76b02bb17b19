/**
 * The README's table of litmus scenarios: each is searched systematically for a while under each of
 * three protocols; where that does not come to its end, PCT takes as many executions as the legend
 * says. A cell says which it was, and what the executions ended in.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Explored, explore } from '#explore/explore';
import { formatCount, formatShort } from '#report/format';
import type { Plan } from '#scenario/plan';
import { inPackage } from './root.ts';
import { shippedPlan } from './shipped.ts';

const SHOWN = ['none', 'pt-reclaim', 'async-scanner'];
const SYSTEMATIC_MS = 6_000;
const EXECUTIONS = 100_000;

export interface LitmusTable {
  readonly lines: string[];
  /** No violation, and every outcome as the scenario expects it. */
  readonly isAsExpected: boolean;
}

export async function litmusTable(): Promise<LitmusTable> {
  let isAsExpected = true;
  const exhausted = new Map<number, number>();
  const lines: string[] = [];
  for (const name of litmusNames()) {
    const cells: string[] = [];
    let cpus = 0;
    let isProven = true;
    for (const protocol of SHOWN) {
      const plan = shippedPlan(`litmus/${name}`, protocol);
      const explored = await search(plan);
      cpus = explored.cpus;
      isProven &&= explored.isExhausted;
      isAsExpected &&=
        explored.violations.length === 0 && explored.outcomes.every(({ met }) => met);
      cells.push(cellOf(explored));
      process.stderr.write(`${name} under ${protocol}: ${cells.at(-1)}\n`);
    }
    if (isProven) exhausted.set(cpus, (exhausted.get(cpus) ?? 0) + 1);
    lines.push(`| [${name}](scenarios/litmus/${name}.yaml) | ${cpus} | ${cells.join(' | ')} |`);
  }
  return { lines: [...lines, '', legend(exhausted)], isAsExpected };
}

export function litmusHead(): readonly string[] {
  return ['litmus', 'CPUs', ...SHOWN.map((name) => `\`${name}\``)];
}

function litmusNames(): string[] {
  const files = readdirSync(inPackage('scenarios', 'litmus'));
  return files.map((file) => file.replace(/\.yaml$/, '')).sort();
}

/** All traces, if there is time; else many executions. */
async function search(plan: Plan): Promise<Explored> {
  const request = {
    ...{ plan, edit: null, keepGoing: false, kind: null, shrinkMs: 5000, nameReplay: () => null },
    searchers: availableParallelism(),
  };
  const systematic = await explore(
    { ...request, strategy: { name: 'dpor' }, executionsMax: null, durationMs: SYSTEMATIC_MS },
    {},
  );
  if (systematic.isExhausted || systematic.violations.length > 0) return systematic;
  return explore(
    { ...request, strategy: { name: 'pct' }, executionsMax: EXECUTIONS, durationMs: null },
    {},
  );
}

function cellOf({ violations, isExhausted, executions, steps, outcomes }: Explored): string {
  if (violations.length > 0) return `VIOLATED: ${violations[0]!.kind}`;
  const unmet = outcomes.filter(({ met }) => !met).map(({ outcome }) => outcome);
  const seen = outcomes
    .filter(({ outcome, seen }) => outcome !== 'violation' && seen !== 'never')
    .map(({ outcome, seen }) => (seen === 'always' ? `${outcome} always` : outcome));
  const effort = isExhausted
    ? `**all ${formatCount(executions)}** (${formatShort(steps)} steps)`
    : `${formatShort(executions)} by PCT`;
  const wrong = unmet.length === 0 ? '' : `; NOT AS EXPECTED: ${unmet.join(', ')}`;
  return `${effort}${seen.length === 0 ? '' : `: ${seen.join(', ')}`}${wrong}`;
}

function legend(exhausted: ReadonlyMap<number, number>): string {
  const counts = [...exhausted].sort(([a], [b]) => a - b);
  const proven = counts.map(([cpus, count]) => `${count} with ${cpus} CPUs`).join(', ');
  const seconds = SYSTEMATIC_MS / 1000;
  return [
    'From `npm run readme -- litmus`: no execution went wrong.',
    `**all N**: the systematic search (dpor, ${seconds} s at most) came to its end, N traces in`,
    `all; under all ${SHOWN.length} protocols: ${proven}.`,
    `The others: ${formatCount(EXECUTIONS)} executions under PCT each.`,
    'Then what executions ended in: races that were handled, and whether a table was reclaimed.',
  ].join(' ');
}
