/**
 * Lock statistics in the layout of the kernel's /proc/lock_stat, version 0.4, so that whoever reads
 * those can read these: one line for each lock class, or for each mode of it where it was taken for
 * reading; times in microseconds. Below it, where there were waits, the call sites that had to
 * wait, and then those at which the CPUs that were waited for had taken the lock. In place of code
 * addresses stand the numbers of the call sites.
 */
import type { LockBlame, LockFigures, LockPlace, LockTimes } from '#result/lock-statistics';
import type { LockSummary, Result, Run } from '#result/result';

const NAME_WIDTH = 40;
const WIDTH = 14;
const PLACE_WIDTH = 29;
const COLUMNS = [
  ...['con-bounces', 'contentions', 'waittime-min', 'waittime-max', 'waittime-total'],
  ...['waittime-avg', 'acq-bounces', 'acquisitions', 'holdtime-min', 'holdtime-max'],
  ...['holdtime-total', 'holdtime-avg'],
];
const LINE_WIDTH = NAME_WIDTH + 1 + COLUMNS.length * (WIDTH + 1);

/** The statistics of each run that has some; where there are several runs, under their names. */
export function lockStatReport({ scenario, runs }: Pick<Result, 'scenario' | 'runs'>): string {
  const counted = runs.filter(({ lockStat: of }) => (of ?? null) !== null);
  if (counted.length === 0) return 'no lock statistics: run with --lock-stat\n';
  return counted
    .map((run) => (runs.length > 1 ? `${scenario} under ${run.protocol}\n` : '') + lockStat(run))
    .join('\n');
}

function lockStat(run: Run): string {
  const locks = run.locks.filter(({ modes }) => modes !== undefined);
  const contended = locks.toSorted((a, b) => b.contended - a.contended);
  const lines = ['lock_stat version 0.4', note(run), '-'.repeat(LINE_WIDTH), head()];
  lines.push('-'.repeat(LINE_WIDTH), '', ...contended.flatMap(classLines));
  return `${lines.join('\n')}\n`;
}

/** Where the kernel may have a warning. */
function note({ lockStat: of, locks }: Run): string {
  const samples = locks.reduce((sum, { holdSamples = 0 }) => sum + holdSamples, 0);
  return (
    `*NOTE* hold times are those of a sample (${samples}), their totals estimates: a CPU times a ` +
    `call site again when it has taken ${of?.locksPerSample} locks; the clock's own ` +
    `${of?.clockNs} ns are taken off`
  );
}

function head(): string {
  const names = COLUMNS.map((name) => ` ${name.padStart(WIDTH)}`);
  return 'class name'.padStart(NAME_WIDTH) + names.join('');
}

function classLines(lock: LockSummary): string[] {
  const { modes = [], sites = [], contendedBy = [] } = lock;
  const isShared = modes.some(({ mode }) => mode === 'shared');
  const lines = modes.map((figures) => {
    const suffix = figures.mode === 'shared' ? '-R' : isShared ? '-W' : '';
    return `${(lock.class + suffix).padStart(NAME_WIDTH)}:${figuresText(figures)}`;
  });
  if (lock.contended === 0) return lines;
  const waiting = sites.map(({ place, contended }) => ({ place, waits: contended }));
  const rule = '-'.repeat(lock.class.length + (isShared ? 2 : 0));
  for (const points of [waiting, holdersOf(contendedBy)]) {
    lines.push(' '.repeat(NAME_WIDTH - rule.length) + rule);
    lines.push(...pointLines(lock.class, points));
  }
  return [...lines, '', '.'.repeat(LINE_WIDTH), ''];
}

/** Everything behind the colon. */
function figuresText(figures: LockFigures): string {
  const { contended, acquisitions, waits, holds } = figures;
  return [
    `${column(figures.contendedBounces)} ${column(contended)}${times(waits, contended)}`,
    `${column(figures.bounces)} ${column(acquisitions)}${times(holds, acquisitions)}`,
  ].join(' ');
}

/** Shortest, longest, total and average, of so many. */
function times({ shortestNs, longestNs, totalNs }: LockTimes, count: number): string {
  const average = count === 0 ? 0 : totalNs / count;
  return [shortestNs, longestNs, totalNs, average].map((ns) => ` ${column(us(ns))}`).join('');
}

interface Point {
  readonly place: LockPlace | null;
  readonly waits: number;
}

function holdersOf(blames: readonly LockBlame[]): Point[] {
  const points = new Map<number, Point>();
  for (const { holder, waits } of blames) {
    const before = points.get(holder?.site ?? 0)?.waits ?? 0;
    points.set(holder?.site ?? 0, { place: holder, waits: before + waits });
  }
  return [...points.values()];
}

function pointLines(name: string, points: readonly Point[]): string[] {
  const lines = points.filter(({ waits }) => waits > 0).sort((a, b) => b.waits - a.waits);
  return lines.map(({ place, waits }) => {
    const address = `[<${(place?.site ?? 0).toString(16).padStart(16, '0')}>]`;
    const symbol = place === null ? 'unknown' : `${place.function} ${place.path}:${place.line}`;
    return [name.padStart(NAME_WIDTH), column(waits), address.padStart(PLACE_WIDTH), symbol].join(
      ' ',
    );
  });
}

function column(value: number | string): string {
  return String(value).padStart(WIDTH);
}

/** Two digits after the point. */
function us(ns: number): string {
  return (ns / 1000).toFixed(2);
}
