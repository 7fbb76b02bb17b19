/**
 * The locks of one run by what was waited for them: a table with bars, who waits for whom, advice.
 */
import type { LockBlame, LockPlace } from '#result/lock-statistics';
import type { LockSummary, Result, Run } from '#result/result';
import { formatCounted, formatNs, formatPercent, formatShort } from './format.ts';
import { type Page, wrap } from './page.ts';
import { type Cell, type Column, table } from './table.ts';

const LOCKS_SHOWN = 6;
const PAIRS_SHOWN = 5;
const BAR_WIDTH = 12;

export function contention(page: Page, run: Run): string[] {
  const waited = byWait(run);
  if (waited.length === 0) return wrap(page, 'no lock was waited for.');
  return [
    ...table(
      page,
      COLUMNS,
      waited.slice(0, LOCKS_SHOWN).map((lock) => row(run, lock)),
    ),
    ...pairs(page, waited),
  ];
}

/** Those that were waited for, the most first. */
export function byWait({ locks }: Run): LockSummary[] {
  const waited = locks.filter(({ waitNs }) => waitNs > 0);
  return waited.toSorted((a, b) => b.waitNs - a.waitNs);
}

/** Which share of the CPUs' time was spent waiting for a lock. */
export function waitShare({ cpus, seconds }: Run, { waitNs }: LockSummary): number {
  return seconds === 0 ? 0 : waitNs / (cpus * seconds * 1e9);
}

/** What to try, one sentence each; about the lock that was waited for most. */
export function advice(result: Result, run: Run): string[] {
  const [first] = byWait(run);
  if (first === undefined || waitShare(run, first) < WORTH_ADVICE) return [];
  const said = ADVICE[first.class] ?? [];
  const crowded = run.cpus > result.machine.cores ? [oversubscribed(result, run)] : [];
  const algorithm = run.lockAlgorithms?.[first.class] ?? null;
  const inOrder =
    algorithm !== null && algorithm !== 'ttas' && run.cpus > result.machine.cores
      ? [
          `${algorithm} serves in order of arrival: the next in line may have no core; try ` +
            `--lock ${first.class}=ttas.`,
        ]
      : [];
  return [...inOrder, ...said, ...crowded];
}

/** Below this share of the CPUs' time waiting is no problem. */
const WORTH_ADVICE = 0.01;

const ADVICE: Readonly<Record<string, readonly string[]>> = {
  mmap: ['Fewer mmap, munmap and mprotect, or larger ones: each takes this lock for writing.'],
  vma: ['Whoever changes a VMA waits for all faults in it: change VMAs more rarely.'],
  'page-table': ['One lock for all page tables: leave --no-split-locks out.'],
  pml: ['Tables of one PMD table come and go: spread the work over more address space.'],
  ptl: ['CPUs meet in one PTE table: give each CPU slots of its own (2 MiB with 4 KiB pages).'],
  zone: ['The allocator is the bottleneck: keep more pages on the lists of each CPU.'],
  'ref-switch': ['One switch lock for all counts: -p switchLock=per-ref gives each count its own.'],
  'table-rwsem': [
    'Whoever frees a table stops all walks: -p table-rwsem.scope=pmd limits that to one PMD table.',
  ],
  'anon-vma': ['Rmap walks and reclaim share this lock: reclaim larger ranges at a time.'],
};

function oversubscribed({ machine }: Result, { cpus }: Run): string {
  return (
    `${cpus} simulated CPUs share ${machine.cores} cores: a holder that has lost its core is ` +
    'waited for until it runs again.'
  );
}

const COLUMNS: readonly Column[] = [
  { head: 'lock', align: 'left' },
  { head: 'waited', align: 'left' },
  ...['share', 'total', 'longest', 'held', 'taken', 'contended'].map(
    (head): Column => ({ head, align: 'right' }),
  ),
];

function row(run: Run, lock: LockSummary): Cell[] {
  const share = waitShare(run, lock);
  const longest = Math.max(0, ...(lock.modes ?? []).map(({ waits }) => waits.longestNs));
  const held = lock.holdNs === null || lock.acquisitions === 0 ? null : meanHold(lock);
  return [
    { text: lock.class, style: 'strong' },
    { text: bar(share) },
    { text: formatPercent(share, 1) },
    { text: formatNs(lock.waitNs) },
    { text: longest === 0 ? '-' : formatNs(longest) },
    { text: held === null ? '-' : formatNs(held) },
    { text: formatShort(lock.acquisitions) },
    { text: formatPercent(lock.contended, lock.acquisitions) },
  ];
}

function meanHold({ holdNs, acquisitions }: LockSummary): number {
  return (holdNs ?? 0) / acquisitions;
}

/** Full: the CPUs did nothing but wait. */
function bar(share: number): string {
  const filled = Math.round(Math.min(share, 1) * BAR_WIDTH);
  return '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
}

/** Who waits, and where the lock had been taken that it waits for. */
function pairs(page: Page, locks: readonly LockSummary[]): string[] {
  const all = locks.flatMap((lock) =>
    (lock.contendedBy ?? []).map((blame) => ({ lock: lock.class, ...blame })),
  );
  const worst = all.toSorted((a, b) => b.waitNs - a.waitNs).slice(0, PAIRS_SHOWN);
  return worst.flatMap((pair) => wrap(page, pairText(pair), 2));
}

function pairText({ lock, waiter, holder, waits, waitNs }: LockBlame & { lock: string }): string {
  return (
    `${placeText(waiter)} waited ${formatNs(waitNs)} (${formatCounted(waits, 'time')}) for the ` +
    `${lock} that ${placeText(holder)} had taken`
  );
}

function placeText(place: LockPlace | null): string {
  return place === null ? 'someone' : `${place.function} (${place.path}:${place.line})`;
}
