/**
 * Which acts become rows. Each has a weight by what it does, to what, and when; acts in a row that
 * say the same are told as one, and while there are too many rows the lightest goes.
 */
import type { InterleavingKind } from '#result/interleaving';
import type { Act } from './acts.ts';
import { isOfEntry, isReference, takes } from './count-text.ts';
import { type Focus, isAbout, type Raced } from './raced.ts';

/** Acts of one CPU that are told in one row. */
export interface Group {
  readonly acts: readonly Act[];
  readonly text: string;
  readonly weight: number;
}

export interface Subject {
  readonly kind: string;
  /** CPUs that the verdict names. */
  readonly cpus: readonly number[];
  readonly focus: Focus;
  readonly raced: Raced | null;
  /** Locks that are held or waited for where nobody can go on. */
  readonly locks: ReadonlySet<number>;
  /** Acts that have to be told whatever their weight. */
  readonly vital: ReadonlySet<Act>;
  readonly decided: number;
}

/** Lighter acts are never told. */
const WEIGHT_MIN = 40;
/** Violations that may come of a lookup that found no table, or no reference to it. */
const OF_LOOKUPS = /untruthful|mapcount|frame-leak|sleep|double-free|table-zero/;
/** Of a count that all CPUs share. */
const IS_ZERO = /count of table (?!.* on cpu).* 0$/;
/** Violations for which it matters that a page is freed, and those that it is allocated. */
const PAGE_KINDS = [/stale|use-after|lost-data|dontneed/, /mapcount|frame-leak/] as const;
/** Acts that are considered for each row; in some executions there are thousands. */
const CANDIDATES_PER_ROW = 16;

/** By kind: of what the diagram is about, and of other things. */
const WEIGHTS: Readonly<Record<InterleavingKind, readonly [near: number, far: number]>> = {
  unhook: [90, 40],
  hook: [85, 30],
  free: [88, 20],
  defer: [80, 15],
  page: [35, 5],
  'pte-write': [75, 20],
  lock: [70, 22],
  'trylock-failed': [68, 10],
  'pmd-read': [66, 15],
  unlock: [60, 10],
  'pte-read': [50, 10],
  ipi: [20, 20],
  flush: [20, 20],
  remember: [20, 5],
  'no-memory': [70, 70],
  rcu: [10, 10],
  other: [45, 5],
};

/** The rows, at most `rowsMax`. */
export function chooseGroups(acts: readonly Act[], subject: Subject, rowsMax: number): Group[] {
  const wrong = acts.find(({ violation }) => violation !== null);
  const frame = {
    ...{ ...subject, begins: beginOf(acts, subject), holders: holdersOf(acts, subject) },
    ends: subject.raced?.wrong.step ?? wrong?.step ?? subject.decided,
  };
  const weights = new Map(acts.map((act) => [act, weightOf(act, acts, frame)]));
  const byWeight = acts.toSorted((a, b) => weights.get(b)! - weights.get(a)!);
  const candidates = new Set(byWeight.slice(0, CANDIDATES_PER_ROW * rowsMax));
  let kept = acts.filter((act) => candidates.has(act) && weights.get(act)! >= WEIGHT_MIN);
  for (;;) {
    const groups = grouped(kept, weights);
    if (groups.length <= rowsMax) return groups;
    const lightest = groups.reduce((a, b) => (b.weight < a.weight ? b : a));
    kept = kept.filter((act) => !lightest.acts.includes(act));
  }
}

/**
 * A subject with the steps at which its story begins and ends, and the tables that hold its pmd
 * entries.
 */
interface Frame extends Subject {
  readonly begins: number;
  readonly ends: number;
  readonly holders: ReadonlySet<number>;
}

function holdersOf(acts: readonly Act[], { focus }: Subject): Set<number> {
  return new Set(acts.filter((act) => isAbout(act, focus)).map(({ holder }) => holder));
}

function weightOf(act: Act, acts: readonly Act[], frame: Frame): number {
  const { raced, focus, locks, vital, holders } = frame;
  if (act === raced?.read || act === raced?.change || act === raced?.wrong) return 1000;
  if (vital.has(act)) return 1000;
  if (act.violation !== null) return isSaid(act, acts) ? 5 : 95;
  const isNear =
    isAbout(act, focus) ||
    locks.has(act.at) ||
    (act.at !== 0 && act.at === raced?.change.at) ||
    (/lock/.test(act.kind) && act.tables.some((table) => holders.has(table)));
  const forKind = isNear && act.word === 'count' ? weightOfCount(act, acts, frame) : 0;
  const weight = Math.max(
    WEIGHTS[act.kind][isNear ? 0 : 1],
    forKind || weightForKind(act, frame, isNear),
  );
  return weight * timeliness(act, acts, frame) * (isKnown(act, acts) ? 0.5 : 1);
}

/** What some kinds of violation make important. */
function weightForKind(act: Act, subject: Subject, isNear: boolean): number {
  const { kind, cpus, raced, focus } = subject;
  // What keeps a VMA in the map.
  if (focus.vmas.size > 0 && /lock$/.test(act.kind) && /mmap lock/.test(act.text)) return 65;
  if (isLookedAtAgain(act, raced)) return 84;
  if (isCallersLock(act, subject)) return 80;
  const isFlush = act.kind === 'ipi' || act.kind === 'flush';
  const isStale = /stale-translation|dontneed|lost-data/.test(kind);
  // Who is told of what, and who is left out.
  if (isFlush && isStale) return /^(begins|goes|finds)/.test(act.text) ? 80 : 65;
  if (act.kind === 'remember' && isStale) return isNear ? 78 : 0;
  // The lock under which it had looked, let go before what it saw was changed.
  const isDropped = raced?.read?.cpu === act.cpu && isBetween(act, raced);
  if (act.kind === 'unlock' && isNear && isDropped) return 86;
  const isReader = raced !== null && act.cpu === (raced.read ?? raced.wrong).cpu;
  // Who is inside, and answers all the same.
  if (isFlush && kind === 'use-after-free')
    return isReader && act.text.startsWith('serves') ? 72 : 0;
  if (act.kind === 'rcu' && /use-after-free|rcu|double-free/.test(kind)) return isReader ? 55 : 0;
  if (act.word === 'count' && act.changes && isNear && kind === 'table-zero') return 72;
  if (act.word === 'torture' || act.word === 'count') {
    if (/exclusion|rcu|livelock/.test(kind)) return 60;
    // Whether there was a reference to be had.
    return isNear && OF_LOOKUPS.test(kind) && IS_ZERO.test(act.text) ? 67 : 0;
  }
  if (/fill/.test(act.text) && kind === 'untruthful-error') return 70;
  if (act.kind === 'page' && isNear && PAGE_KINDS[Number(isAllocation(act))]!.test(kind)) return 82;
  if (act.kind === 'lock' && /sleep|held-at-end/.test(kind)) return cpus.includes(act.cpu) ? 50 : 0;
  return 0;
}

function isBetween({ step }: Act, { read, change }: Raced): boolean {
  return /^pte-/.test(read?.kind ?? '') && step > read!.step && step < change.step;
}

/** Whether the CPU reads again what it goes by in its old state. */
function isLookedAtAgain({ cpu, at, step }: Act, raced: Raced | null): boolean {
  if (raced === null || raced.read === null) return false;
  const { read, wrong } = raced;
  if (read.kind !== 'pmd-read' || !/^(follows|reports)/.test(wrong.text)) return false;
  return cpu === wrong.cpu && at === read.at && step > read.step && step <= wrong.step;
}

/** Whether it is the lock of which something untrue is said, taken before or after that. */
function isCallersLock({ kind, cpu, text }: Act, subject: Subject): boolean {
  const { wrong } = subject.raced ?? {};
  if (kind !== 'lock' || wrong === undefined || cpu !== wrong.cpu) return false;
  return /untruthful/.test(subject.kind) && /lock/.test(wrong.text) && /mmap|VMA/.test(text);
}

function isAllocation({ text }: Act): boolean {
  return text.startsWith('allocates');
}

/** References that are taken and returned with nobody in between do not matter. */
function weightOfCount(act: Act, acts: readonly Act[], { kind }: Subject): number {
  if (!/reference|use-after|nonempty/.test(kind)) return 0;
  if (!act.changes || isOfEntry(act.frames)) return act.changes ? 42 : 84;
  const own = (other: Act): boolean => other.cpu === act.cpu && isReference(other);
  const here = acts.indexOf(act);
  const partner = takes(act)
    ? acts.findIndex((other, i) => i > here && own(other))
    : acts.findLastIndex((other, i) => i < here && own(other));
  const between = acts.slice(Math.min(here, partner) + 1, Math.max(here, partner));
  const isAlone = between.every(({ cpu }) => cpu === act.cpu) && partner >= 0;
  return isReference(act) && isAlone && takes(act) !== takes(acts[partner]!) ? 30 : 84;
}

/** What lies before the race, after it, or in the fair phase, counts for less. */
function timeliness(act: Act, acts: readonly Act[], frame: Frame): number {
  const { raced, decided, begins, ends } = frame;
  if (act.step >= decided) return act.kind === 'free' || act.kind === 'unhook' ? 0.5 : 0.1;
  if (act.step > ends && isCallersLock(act, frame)) return 1;
  if (act.step > ends) return /^(defer|free|unhook)$/.test(act.kind) ? 0.5 : 0.25;
  if (act.step >= begins) return 1;
  if (act.kind === 'lock') return isHeldAt(act, acts, begins) ? 1 : 0.3;
  if (act.kind === 'rcu') return isOpenAt(act, acts, begins) ? 1 : 0;
  if (act.changes && act.at === raced?.read?.at && isLatest(act, acts, begins)) return 0.6;
  if (act.kind === 'remember') return isRememberedAt(act, acts, begins) ? 1 : 0;
  const isSame = [raced?.read, raced?.change, raced?.wrong].some(
    (other) => other?.cpu === act.cpu && other.operation === act.operation,
  );
  return isSame && act.kind !== 'unlock' ? 0.6 : 0.3;
}

/** The step with which the race begins; of a deadlock, that which took the first lock. */
function beginOf(acts: readonly Act[], { raced, locks }: Subject): number {
  if (raced !== null) return entryOf(acts, raced)?.step ?? raced.read?.step ?? raced.change.step;
  const taken = [...locks].map(
    (lock) => acts.findLast(({ kind, at }) => kind === 'lock' && at === lock)?.step ?? 0,
  );
  return taken.length === 0 ? 0 : Math.min(...taken);
}

/** Where a count was found that another CPU lowered: that CPU's latest act on it before. */
function entryOf(acts: readonly Act[], { read, change, wrong }: Raced): Act | undefined {
  if (read === null || wrong !== change) return undefined;
  const isEntry = ({ cpu, word, changes, step }: Act): boolean =>
    cpu === change.cpu && word === 'count' && changes && step < read.step;
  return acts.findLast(isEntry);
}

/** Whether the lock that `act` takes is still held at step `begins`. */
function isHeldAt({ step, cpu, at }: Act, acts: readonly Act[], begins: number): boolean {
  const left = acts.find(
    (act) => act.step > step && act.kind === 'unlock' && act.at === at && act.cpu === cpu,
  );
  return left === undefined || left.step >= begins;
}

/** Whether nobody changes the word of `act` again before step `begins`. */
function isLatest({ step, at }: Act, acts: readonly Act[], begins: number): boolean {
  return !acts.some((act) => act.at === at && act.changes && act.step > step && act.step < begins);
}

/** Whether the read section that `act` begins, if it does, is still open at step `begins`. */
function isOpenAt(act: Act, acts: readonly Act[], begins: number): boolean {
  const latest = acts.findLast(
    ({ kind, cpu, step }) => kind === 'rcu' && cpu === act.cpu && step < begins,
  );
  return latest === act && act.text.startsWith('begins');
}

/** Whether what `act` remembers is not remembered anew before step `begins`. */
function isRememberedAt({ step, cpu, text }: Act, acts: readonly Act[], begins: number): boolean {
  return !acts.some(
    (act) => act.text === text && act.cpu === cpu && act.step > step && act.step < begins,
  );
}

function isTaking({ kind, cpu }: Act, by: number): boolean {
  return kind === 'lock' && cpu === by;
}

/** Whether the same was noted as wrong before. */
function isSaid(act: Act, acts: readonly Act[]): boolean {
  const first = acts.find(({ cpu, violation }) => cpu === act.cpu && violation === act.violation);
  return first !== act;
}

/** A look that tells the CPU nothing new, or that its own change of the entry follows at once. */
function isKnown(act: Act, acts: readonly Act[]): boolean {
  if (act.changes || act.at === 0 || !/read$|other/.test(act.kind)) return false;
  const here = acts.indexOf(act);
  const isOwn = (other: Act): boolean => other.cpu === act.cpu && other.at === act.at;
  const next = acts.slice(here + 1).find(({ cpu }) => cpu === act.cpu);
  if (next !== undefined && isOwn(next) && next.changes && next.value === 'none') return true;
  // Under a lock that was taken since, the same look says more.
  const before = acts.slice(0, here).findLast((other) => isOwn(other) || isTaking(other, act.cpu));
  return before?.text === act.text && before.operation === act.operation;
}

function grouped(kept: readonly Act[], weights: ReadonlyMap<Act, number>): Group[] {
  const groups: Act[][] = [];
  for (const act of kept) {
    const latest = groups.at(-1);
    if (latest !== undefined && belongs(latest, act)) latest.push(act);
    else groups.push([act]);
  }
  return groups.map((acts) => ({
    acts,
    text: textOf(acts),
    weight: Math.max(...acts.map((act) => weights.get(act)!)),
  }));
}

/** Whether `act` says the same of the next entry, or of another lock. */
function belongs(group: readonly Act[], act: Act): boolean {
  const last = group.at(-1)!;
  if (last.cpu !== act.cpu || last.kind !== act.kind || last.operation !== act.operation)
    return false;
  if (last.violation !== null || act.violation !== null) return false;
  if (act.kind === 'unlock') return true;
  if (act.kind !== 'pte-read' && act.kind !== 'pte-write') return false;
  const isNext = act.index === last.index + 1 && act.tables[0] === last.tables[0];
  return isNext && (act.value === last.value || (act.kind === 'pte-write' && bothSet(last, act)));
}

function bothSet(a: Act, b: Act): boolean {
  return a.value !== 'none' && b.value !== 'none';
}

function textOf(acts: readonly Act[]): string {
  const [first] = acts;
  const last = acts.at(-1)!;
  if (acts.length === 1) return first!.text;
  if (first!.kind === 'unlock')
    return acts.map(({ text }, i) => (i === 0 ? text : text.replace(/^releases /, ''))).join(', ');
  const name = /pte\[\d+\]( of [^:]*)?/.exec(first!.text)!;
  const range = `pte[${first!.index}..${last.index}]${name[1] ?? ''}`;
  if (first!.kind === 'pte-read') return `reads ${range}: all ${first!.value}`;
  return first!.value === 'none' ? `clears ${range}` : `sets ${range}`;
}
