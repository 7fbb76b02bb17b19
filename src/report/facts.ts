/** The figures of one run in words, each with a label; how they are set is up to the report. */
import type { LatencySummary, Run } from '#result/result';
import {
  formatCount,
  formatCounted,
  formatExactKiB,
  formatKiB,
  formatNs,
  formatParallel,
  formatRate,
  formatRatio,
  formatSeconds,
  formatShort,
  formatUs,
} from './format.ts';

export type Fact = readonly [label: string, text: string];

/** Page tables, and RSS. */
export function memoryFacts(run: Run): Fact[] {
  const { start, peak, end } = run.vmpteKiB;
  const above = `end ${formatExactKiB(end)} (${formatExactKiB(end - start)} above the start)`;
  const rss = run.rssKiB;
  return [
    ['VmPTE', `start ${formatKiB(start)}, peak ${formatExactKiB(peak)}, ${above}`],
    [
      'RSS',
      `start ${formatKiB(rss.start)}, peak ${formatKiB(rss.peak)}, end ${formatKiB(rss.end)}`,
    ],
  ];
}

/** What was done, and what it cost. */
export function workFacts(run: Run): Fact[] {
  const { pages, faults, tables, seconds } = run;
  const failed = faults.oom > 0 ? `, ${formatCount(faults.oom)} out of memory` : '';
  return [
    [
      'pages',
      `${formatCount(pages.faulted)} faulted (${formatRate(pages.faulted, seconds)}/s), ` +
        `${formatCount(pages.zapped)} zapped (${formatRate(pages.zapped, seconds)}/s)`,
    ],
    [
      'faults',
      `${formatCount(faults.write)} write, ${formatCount(faults.read)} read, ` +
        `${formatCount(faults.segv)} outside any VMA${failed}`,
    ],
    [
      'tables',
      `${formatCount(tables.allocated)} allocated, ${formatCount(tables.freed)} freed; ` +
        `reclaimed ${formatCount(tables.reclaimed)} of ${formatCount(tables.reclaimable)} ` +
        `reclaimable; ${formatCounted(tables.pteTablesEnd, 'PTE table')} at the end, ` +
        `${formatCount(tables.zeroPageOnly)} of zero pages only`,
    ],
    ['done', tally(run.operations)],
    ['protocol', tally(run.protocolCounts)],
    ...costFacts(run),
  ];
}

function costFacts({ latencyNs, costs, rounds }: Run): Fact[] {
  const rates = rounds.perSecond.map((each) => formatShort(each)).join(', ');
  return [
    ['a fault', latency(latencyNs.fault)],
    ['a madvise', latency(latencyNs.madvise)],
    ['a walk', walk(costs)],
    ...(rounds.n > 1 ? [['rounds', `${formatCount(rounds.n)}: ${rates} faults/s`] as const] : []),
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

/** Grace periods, phases, checks. */
export function underneathFacts(run: Run): Fact[] {
  const { rcu, dataChecks } = run;
  const phases = run.phases.map(
    (each) => `${each.name} ${formatSeconds(each.seconds)} (VmPTE ${formatKiB(each.vmpteKiB)})`,
  );
  const parallel = formatParallel(run.cpuSeconds, run.seconds);
  return [
    [
      'RCU',
      `${formatCounted(rcu.gracePeriods, 'grace period')}, ` +
        `${formatCount(run.costs.graceWaits)} waited for; latency p50 ` +
        `${formatUs(rcu.latencyUs.p50)}, p99 ${formatUs(rcu.latencyUs.p99)}, ` +
        `max ${formatUs(rcu.latencyUs.max)}; backlog peak ${formatCount(rcu.backlogPeak)}`,
    ],
    ['TLB', `${formatCounted(run.tlbFlushes, 'flush').replace(/hs$/, 'hes')}`],
    ['phases', phases.length > 0 ? phases.join(', ') : '-'],
    ['CPU time', `${formatSeconds(run.cpuSeconds)}, ${parallel} wall`],
    [
      'data',
      `${formatCount(dataChecks.compared)} reads compared with what was written, ` +
        `${formatCount(dataChecks.unjudged)} too old to judge`,
    ],
  ];
}
