/**
 * One run: the verdict, then page-table memory over time, what was done, the races, and below the
 * first screen RCU, locks, phases, checks, expectations and violations.
 */
import type {
  ExpectationOutcome,
  LatencySummary,
  LockSummary,
  Result,
  Run,
  Violation,
} from '#result/result';
import {
  formatCount,
  formatCounted,
  formatExactKiB,
  formatKiB,
  formatNs,
  formatParallel,
  formatPercent,
  formatRate,
  formatRatio,
  formatSeconds,
  formatShort,
  formatUs,
} from './format.ts';
import { fact, heading, indented, type Page, wrap } from './page.ts';
import { plot } from './plot.ts';
import { raceMatrix } from './races.ts';
import { type Column, cell, table } from './table.ts';
import { figureText, verdictOf, verdictSentence, verdictStyle } from './verdict.ts';

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
    ...work(page, run),
    ...heading(page, 'races handled'),
    ...raceMatrix(page, run),
    ...heading(page, 'grace periods, phases, checks'),
    ...underneath(page, run),
    ...(run.locks.length > 0 ? [...heading(page, 'locks'), ...locks(page, run.locks)] : []),
    ...expectations(page, run.expectations),
    ...violations(page, run.violations, explain),
  ];
}

function memory(page: Page, run: Run): string[] {
  const { start, peak, end, series } = run.vmpteKiB;
  const above = `end ${formatExactKiB(end)} (${formatExactKiB(end - start)} above the start)`;
  const rss = run.rssKiB;
  return [
    ...fact(page, 'VmPTE', `start ${formatKiB(start)}, peak ${formatExactKiB(peak)}, ${above}`),
    ...plot(page, series),
    ...fact(
      page,
      'RSS',
      `start ${formatKiB(rss.start)}, peak ${formatKiB(rss.peak)}, end ${formatKiB(rss.end)}`,
    ),
  ];
}

function work(page: Page, run: Run): string[] {
  const { pages, faults, tables, seconds } = run;
  const failed = faults.oom > 0 ? `, ${formatCount(faults.oom)} out of memory` : '';
  return [
    ...fact(
      page,
      'pages',
      `${formatCount(pages.faulted)} faulted (${formatRate(pages.faulted, seconds)}/s), ` +
        `${formatCount(pages.zapped)} zapped (${formatRate(pages.zapped, seconds)}/s)`,
    ),
    ...fact(
      page,
      'faults',
      `${formatCount(faults.write)} write, ${formatCount(faults.read)} read, ` +
        `${formatCount(faults.segv)} outside any VMA${failed}`,
    ),
    ...fact(
      page,
      'tables',
      `${formatCount(tables.allocated)} allocated, ${formatCount(tables.freed)} freed; ` +
        `reclaimed ${formatCount(tables.reclaimed)} of ${formatCount(tables.reclaimable)} ` +
        `reclaimable; ${formatCounted(tables.pteTablesEnd, 'PTE table')} at the end, ` +
        `${formatCount(tables.zeroPageOnly)} of zero pages only`,
    ),
    ...fact(page, 'done', tally(run.operations)),
    ...fact(page, 'protocol', tally(run.protocolCounts)),
    ...cost(page, run),
  ];
}

function cost(page: Page, { latencyNs, costs, rounds }: Run): string[] {
  const rates = rounds.perSecond.map((each) => formatShort(each)).join(', ');
  return [
    ...fact(page, 'a fault', latency(latencyNs.fault)),
    ...fact(page, 'a madvise', latency(latencyNs.madvise)),
    ...fact(page, 'a walk', walk(costs)),
    ...(rounds.n > 1 ? fact(page, 'rounds', `${formatCount(rounds.n)}: ${rates} faults/s`) : []),
  ];
}

function walk({ walks, atomics, lockAcquisitions }: Run['costs']): string {
  if (walks === 0) return '-';
  return (
    `${formatRatio(atomics, walks)} atomic read-modify-writes, ` +
    `${formatRatio(lockAcquisitions, walks)} lock acquisitions ` +
    `(${formatCounted(walks, 'walk')})`
  );
}

function latency({ p50, p99, max, samples }: LatencySummary): string {
  if (samples === 0) return '-';
  return (
    `p50 ${formatNs(p50)}, p99 ${formatNs(p99)}, max ${formatNs(max)} ` +
    `(${formatCount(samples)} timed)`
  );
}

function tally(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${formatCount(count)}`);
  return parts.length > 0 ? parts.join(', ') : '-';
}

function underneath(page: Page, run: Run): string[] {
  const { rcu, dataChecks } = run;
  const phases = run.phases.map(
    (each) => `${each.name} ${formatSeconds(each.seconds)} (VmPTE ${formatKiB(each.vmpteKiB)})`,
  );
  const parallel = formatParallel(run.cpuSeconds, run.seconds);
  return [
    ...fact(
      page,
      'RCU',
      `${formatCounted(rcu.gracePeriods, 'grace period')}, ` +
        `${formatCount(run.costs.graceWaits)} waited for; latency p50 ` +
        `${formatUs(rcu.latencyUs.p50)}, p99 ${formatUs(rcu.latencyUs.p99)}, ` +
        `max ${formatUs(rcu.latencyUs.max)}; backlog peak ${formatCount(rcu.backlogPeak)}`,
    ),
    ...fact(page, 'TLB', `${formatCounted(run.tlbFlushes, 'flush').replace(/hs$/, 'hes')}`),
    ...fact(page, 'phases', phases.length > 0 ? phases.join(', ') : '-'),
    ...fact(page, 'CPU time', `${formatSeconds(run.cpuSeconds)}, ${parallel} wall`),
    ...fact(
      page,
      'data',
      `${formatCount(dataChecks.compared)} reads compared with what was written, ` +
        `${formatCount(dataChecks.unjudged)} too old to judge`,
    ),
  ];
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
    wrap(
      page,
      `${each.met ? 'met' : 'UNMET'}: ${figureText(each)} is ${formatCount(each.found)}, ` +
        `expected ${bounds(each)}`,
      2,
      each.met ? 'good' : 'bad',
    ),
  );
  return [...heading(page, 'expectations'), ...lines];
}

function bounds({ min, max }: ExpectationOutcome): string {
  if (min !== null && max !== null) return `${formatCount(min)} to ${formatCount(max)}`;
  if (min !== null) return `at least ${formatCount(min)}`;
  return max === null ? 'anything' : `at most ${formatCount(max)}`;
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
