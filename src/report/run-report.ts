/**
 * One run: the verdict, then page-table memory over time, what was done, the races, and below the
 * first screen RCU, locks, phases, checks, expectations and violations.
 */
import type { ExpectationOutcome, LockSummary, Result, Run, Violation } from '#result/result';
import { type Fact, memoryFacts, underneathFacts, workFacts } from './facts.ts';
import { formatCounted, formatNs, formatPercent, formatShort } from './format.ts';
import { fact, heading, indented, type Page, wrap } from './page.ts';
import { plot } from './plot.ts';
import { raceMatrix } from './races.ts';
import { type Column, cell, table } from './table.ts';
import { expectationText, verdictOf, verdictSentence, verdictStyle } from './verdict.ts';

export function runReport(
  page: Page,
  result: Result,
  run: Run,
  explain?: (kind: string) => string | undefined,
): string[] {
  const verdict = verdictOf(run);
  return [
    ...wrap(page, `${result.scenario} under ${run.protocol}`, 0, 'strong'),
    ...wrap(page, verdictSentence(verdict, run), 2, verdictStyle(verdict)),
    ...(run.note === null ? [] : wrap(page, run.note, 2, 'warn')),
    '',
    ...memory(page, run),
    ...told(page, workFacts(run)),
    ...heading(page, 'races handled'),
    ...raceMatrix(page, run),
    ...heading(page, 'grace periods, phases, checks'),
    ...told(page, underneathFacts(run)),
    ...(run.locks.length > 0 ? [...heading(page, 'locks'), ...locks(page, run.locks)] : []),
    ...expectations(page, run.expectations),
    ...violations(page, run.violations, explain),
  ];
}

function memory(page: Page, run: Run): string[] {
  const [vmpte, rss] = memoryFacts(run);
  return [...told(page, [vmpte!]), ...plot(page, run.vmpteKiB.series), ...told(page, [rss!])];
}

function told(page: Page, facts: readonly Fact[]): string[] {
  return facts.flatMap(([label, text]) => fact(page, label, text));
}

const LOCK_COLUMNS: Column[] = [
  { head: 'lock', align: 'left' },
  { head: 'taken', align: 'right' },
  { head: 'contended', align: 'right' },
  { head: 'share', align: 'right' },
  { head: 'try failed', align: 'right' },
  { head: 'bounces', align: 'right' },
  { head: 'waited', align: 'right' },
  { head: 'held', align: 'right' },
];

function locks(page: Page, summaries: readonly LockSummary[]): string[] {
  const rows = summaries.map((lock) => [
    cell(lock.class, 'strong'),
    cell(formatShort(lock.acquisitions)),
    cell(formatShort(lock.contended)),
    cell(formatPercent(lock.contended, lock.acquisitions)),
    cell(formatShort(lock.trylockFailed)),
    cell(lock.bounces === null ? '-' : formatShort(lock.bounces)),
    cell(formatNs(lock.waitNs)),
    cell(lock.holdNs === null ? '-' : formatNs(lock.holdNs)),
  ]);
  return table(page, LOCK_COLUMNS, rows);
}

function expectations(page: Page, outcomes: readonly ExpectationOutcome[]): string[] {
  if (outcomes.length === 0) return [];
  const lines = outcomes.flatMap((each) =>
    wrap(page, expectationText(each), 2, each.met ? 'good' : 'bad'),
  );
  return [...heading(page, 'expectations'), ...lines];
}

/** How many violations of one run are told in full. */
const VIOLATIONS_TOLD = 10;

function violations(
  page: Page,
  found: readonly Violation[],
  explain?: (kind: string) => string | undefined,
): string[] {
  if (found.length === 0) return [];
  const explained = new Set<string>();
  const lines = found.slice(0, VIOLATIONS_TOLD).flatMap((each) => {
    const sentence = explained.has(each.kind) ? undefined : explain?.(each.kind);
    explained.add(each.kind);
    const cpus = each.cpus.length > 0 ? ` [cpu ${each.cpus.join(', ')}]` : '';
    return [
      ...wrap(page, `${each.kind}: ${each.message}${cpus}`, 2, 'bad'),
      ...(sentence === undefined
        ? []
        : indented(page, 2, (room) => wrap(room, sentence, 0, 'dim'))),
      ...(each.replay === null
        ? []
        : indented(page, 2, (room) => wrap(room, `replay: ${each.replay}`))),
    ];
  });
  const rest = found.length - VIOLATIONS_TOLD;
  if (rest > 0) lines.push(...wrap(page, `and ${formatCounted(rest, 'more violation')}.`, 2));
  return [...heading(page, 'violations'), ...lines];
}
