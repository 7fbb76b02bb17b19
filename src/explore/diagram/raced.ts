/**
 * Which acts raced: a CPU read a word, another changed it, and the first went by what it had read.
 * Or, where there is no such thing, another CPU's latest act on what the wrong access touches.
 */
import type { Act } from './acts.ts';
import { asksForZero, findsNone } from './count-text.ts';

/** `read` may be missing; `wrong`: the act at which it shows, or the change where none follows. */
export interface Raced {
  readonly read: Act | null;
  readonly change: Act;
  readonly wrong: Act;
}

/** What the diagram is about. */
export interface Focus {
  readonly tables: ReadonlySet<number>;
  readonly pages: ReadonlySet<number>;
  readonly vmas: ReadonlySet<number>;
  /** Where it names neither: indices of entries in their tables. */
  readonly indices: ReadonlySet<number>;
}

/** A word of one kind says more about the race than a word of the next. */
const BY_WEIGHT = ['pmd', 'pte', 'count', 'page', 'torture'] as const;

/** The acts that led to what is wrong, a violation of `kind`; null: none are found. */
export function findRaced(acts: readonly Act[], focus: Focus, kind: string): Raced | null {
  const wrong = acts.find(({ violation }) => violation !== null);
  if (wrong !== undefined && focus.vmas.size > 0) return staleVma(acts, wrong, focus);
  if (wrong !== undefined)
    return (
      staleCache(acts, wrong) ??
      staleEntry(acts, wrong) ??
      replaced(acts, wrong) ??
      staleRead(acts, wrong, focus) ??
      conflict(acts, wrong, focus, kind)
    );
  const left = kind === 'reference-leak' ? countLeft(acts, focus) : null;
  if (left !== null) return left;
  // Found by an audit: somebody changed what it is about, after a look that was stale by then.
  for (const act of acts.toReversed()) {
    if (!act.changes || !isAbout(act, focus)) continue;
    const raced = staleRead(acts, act, focus);
    if (raced !== null && raced.read!.operation === act.operation) return raced;
  }
  return null;
}

/** The CPU of `wrong` found no reference to a table, and unhooks another that was hooked since. */
function replaced(acts: readonly Act[], wrong: Act): Raced | null {
  if (wrong.kind !== 'unhook') return null;
  const before = acts.slice(0, acts.indexOf(wrong));
  const read = before.findLast(
    (act) => act.cpu === wrong.cpu && act.operation === wrong.operation && findsNone(act),
  );
  if (read === undefined || read.tables[0] === wrong.tables[0]) return null;
  const change = before
    .slice(before.indexOf(read))
    .findLast(({ kind, at, cpu }) => kind === 'hook' && at === wrong.at && cpu !== read.cpu);
  return change === undefined ? null : { read, change, wrong };
}

/** Who asked last for the references to a table before another CPU took or returned one. */
function countLeft(acts: readonly Act[], focus: Focus): Raced | null {
  for (const [i, read] of [...acts.entries()].toReversed()) {
    if (read.word !== 'count' || !isAbout(read, focus) || !asksForZero(read.frames)) continue;
    const change = acts
      .slice(i + 1)
      .findLast(
        (act) => act.word === 'count' && act.changes && act.cpu !== read.cpu && isAbout(act, focus),
      );
    if (change !== undefined) return { read, change, wrong: change };
  }
  return null;
}

export function isAbout(act: Act, { tables, pages, vmas, indices }: Focus): boolean {
  return (
    act.tables.some((table) => tables.has(table)) ||
    act.pages.some((page) => pages.has(page)) ||
    act.vmas.some((vma) => vmas.has(vma)) ||
    ((act.word === 'pte' || act.kind === 'remember') && indices.has(act.index))
  );
}

/** Where the CPU of `wrong` had found the VMA that it goes by, before another changed that. */
function staleVma(acts: readonly Act[], wrong: Act, focus: Focus): Raced | null {
  const raced = conflict(acts, wrong, focus, '');
  if (raced === null) return null;
  const read = acts
    .slice(0, acts.indexOf(raced.change))
    .findLast((act) => act.cpu === wrong.cpu && !/lock/.test(act.kind) && isAbout(act, focus));
  return { ...raced, read: read ?? null };
}

/**
 * What the CPU of `wrong`, a user access or the walk for one, goes by if it has it in its caches,
 * and who has changed that since it was remembered.
 */
function staleCache(acts: readonly Act[], wrong: Act): Raced | null {
  const place = /slot \d+ entry \d+/.exec(wrong.text)?.[0];
  if (place === undefined) return null;
  const end = acts.indexOf(wrong);
  const isRead = ({ kind, cpu, text, tables }: Act): boolean =>
    kind === 'remember' &&
    cpu === wrong.cpu &&
    (wrong.tables.length > 0 ? tables[0] === wrong.tables[0] : text.includes(`${place}:`));
  const begin = acts.slice(0, end).findLastIndex(isRead);
  if (begin < 0) return null;
  const read = acts[begin]!;
  const change = acts
    .slice(begin, end)
    .find(({ kind, value, tables, pages }) =>
      read.tables.length > 0
        ? kind === 'unhook' && tables[0] === read.tables[0]
        : kind === 'pte-write' && value === 'none' && pages.includes(read.pages[0]!),
    );
  return change === undefined ? null : { read, change, wrong };
}

/** Where it follows an upper entry: how it had read that, and who has unhooked the table since. */
function staleEntry(acts: readonly Act[], wrong: Act): Raced | null {
  const [table] = wrong.tables;
  if (table === undefined || !wrong.text.startsWith('follows its entry')) return null;
  const end = acts.indexOf(wrong);
  const begin = acts
    .slice(0, end)
    .findLastIndex((act) => act.kind === 'pmd-read' && act.cpu === wrong.cpu && isOf(act, table));
  if (begin < 0) return null;
  const change = acts
    .slice(begin, end)
    .find((act) => act.kind === 'unhook' && act.cpu !== wrong.cpu && isOf(act, table));
  return change === undefined ? null : { read: acts[begin]!, change, wrong };
}

function isOf({ tables }: Act, table: number): boolean {
  return tables[0] === table;
}

/**
 * What the CPU of `wrong` had read last of a word that another CPU has changed since; or, with less
 * weight, a PTE that it had written itself, or a pmd entry that it has found changed meanwhile, too
 * late.
 */
function staleRead(acts: readonly Act[], wrong: Act, focus: Focus): Raced | null {
  const end = acts.indexOf(wrong);
  // What it says, it says because it has found the entry changed.
  const isReport = wrong.text.startsWith('reports');
  let best: { raced: Raced; weight: number } | null = null;
  const seen = new Set<number>();
  // Words that the CPU has read since they were changed.
  const noticed = new Set<number>();
  // What the CPU has stored itself; what it read before may have been stale by then.
  const stored = new Map<number, number>();
  for (let i = end - 1; i >= 0; i--) {
    const read = acts[i]!;
    const kind = BY_WEIGHT.indexOf(read.word as (typeof BY_WEIGHT)[number]);
    if (read.cpu !== wrong.cpu || kind < 0 || seen.has(read.at)) continue;
    if (read.changes && read.word !== 'pte') {
      stored.set(read.at, i);
      continue;
    }
    const together = read.operation === wrong.operation;
    const isLate = noticed.has(read.at);
    const change = acts
      .slice(i + 1, stored.get(read.at) ?? end)
      .findLast(({ at, cpu, changes }) => at === read.at && changes && cpu !== read.cpu);
    if (change === undefined && read.word === 'pmd' && together) noticed.add(read.at);
    else seen.add(read.at);
    if (change === undefined || (isLate && !together)) continue;
    const near = isAbout(read, focus) || isAbout(change, focus);
    const lighter = (read.changes ? 10 : 0) + (isLate && !isReport ? 5 : 0);
    const weight = (near ? 100 : 0) + (together ? 50 : 0) - kind - lighter;
    if (best === null || weight > best.weight) best = { raced: { read, change, wrong }, weight };
  }
  return best?.raced ?? null;
}

function conflict(acts: readonly Act[], wrong: Act, focus: Focus, kind: string): Raced | null {
  const change = acts
    .slice(0, acts.indexOf(wrong))
    .findLast(
      (act) =>
        act.cpu !== wrong.cpu &&
        (act.changes || act.kind === 'free') &&
        !/lock/.test(act.kind) &&
        (act.word !== 'count' || kind.startsWith('reference')) &&
        (isAbout(act, focus) || (act.at !== 0 && act.at === wrong.at)),
    );
  return change === undefined ? null : { read: null, change, wrong };
}
