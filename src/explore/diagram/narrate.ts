/**
 * From a schedule to the diagram of its execution: executes it once more under a recorder, picks
 * the acts that matter, and says in words what went wrong and which acts raced.
 */
import type { Verdict } from '#oracles/verdict';
import type { Interleaving, InterleavingRow } from '#result/interleaving';
import type { Op, Plan } from '#scenario/plan';
import type { Schedule } from '../schedule.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import { type Act, actsOf, numbersIn } from './acts.ts';
import { closingOf, rowOf, type Story } from './closing.ts';
import { foldRounds } from './endless.ts';
import { chooseGroups, type Group, type Subject } from './narrate-choice.ts';
import { type Focus, findRaced, type Raced } from './raced.ts';
import { type Recording, record } from './recording.ts';
import { Sites } from './sites.ts';
import { type Moment, statesOf } from './states.ts';
import { type LockWait, nestedTakes, waitsOf } from './waits.ts';

export interface NarrateOptions {
  /** The kind of violation to tell of, where there are several; left out: the first. */
  readonly kind?: string;
  readonly rowsMax?: number;
  /** The limit of steps that the machine was made with, where it is not the usual one. */
  readonly stepsMax?: number;
}

/** Rows that a diagram has at most, unless told otherwise. */
const ROWS_MAX = 14;

/** The diagram of `schedule` on `machine`, which must not be executing. */
export function narrate(
  machine: SteppedMachine,
  schedule: Schedule,
  { kind, rowsMax = ROWS_MAX, stepsMax }: NarrateOptions = {},
): Interleaving {
  const recording = record(machine, schedule, stepsMax);
  const { verdicts } = recording.execution;
  const verdict = verdicts.find((each) => each.kind === kind) ?? verdicts[0] ?? null;
  const told = actsOf(recording);
  const acts = verdict?.kind === 'livelock' ? foldRounds(told, recording.decided) : told;
  const named = focusOf(verdict, acts);
  const waits = waitsOf(recording, acts);
  const raced = waits.length > 0 ? null : findRaced(acts, named, verdict?.kind ?? '');
  const focus = focusFrom(named, raced);
  const story = { verdict, raced, waits, focus };
  const groups = chooseGroups(acts, subjectOf(recording, story, acts), rowsMax);
  const { columns } = machine.plan;
  return {
    columns: columns.map((_, cpu) => ({ cpu, runs: runsText(machine.plan, cpu) })),
    rows: rowsOf(groups, acts, raced),
    states: statesOf(machine, schedule, groups.map(momentOf), stepsMax),
    waits: waits.map(({ cpu, holds, waitsFor }) => ({ cpu, holds, waitsFor })),
    verdict: verdict === null ? null : { kind: verdict.kind, message: verdict.message },
    raced: racedRows(raced, waits, groups),
    closing: closingOf(story, groups),
    steps: recording.decided,
  };
}

function subjectOf(recording: Recording, story: Story, acts: readonly Act[]): Subject {
  const { verdict, raced, waits, focus } = story;
  const { kind = '', cpus = [], message = '' } = verdict ?? {};
  const locks = new Set(waits.flatMap(({ held, at }) => [...held, at]));
  const nested = kind === 'lock-order' ? nestedTakes(acts, message) : [];
  const vital = new Set([...waits.flatMap(({ blocks }) => blocks), ...nested]);
  return { kind, cpus, focus, raced, locks, vital, decided: recording.decided };
}

/** What the verdict or the first thing noted speaks of. */
function focusOf(verdict: Verdict | null, acts: readonly Act[]): Focus {
  const wrong = acts.find(({ violation }) => violation !== null);
  const texts = [verdict?.message ?? '', wrong?.violation ?? ''];
  const tables = new Set([...numbersIn(texts, 'table'), ...(wrong?.tables ?? [])]);
  const pages = new Set([...numbersIn(texts, 'page'), ...(wrong?.pages ?? [])]);
  const vmas = new Set(numbersIn(texts, 'VMA'));
  const isBare = tables.size === 0 && pages.size === 0 && vmas.size === 0;
  const indices = new Set(isBare ? numbersIn(texts, 'entry') : []);
  // Where no table is named: that to which came who reports, or who has lost the page.
  const lost = wrong === undefined ? acts.findLast((act) => isAllocationOf(act, pages)) : wrong;
  const end = /^(reports|allocates)/.test(lost?.text ?? '') ? lost : undefined;
  if (tables.size === 0 && end !== undefined)
    for (const table of tablesBefore(acts, end)) tables.add(table);
  return { tables, pages, vmas, indices };
}

/** Where table 0 is named, which is none, it is about the table that was there before. */
function focusFrom(named: Focus, raced: Raced | null): Focus {
  if (raced === null || !named.tables.has(0)) return named;
  return { ...named, tables: new Set([...(raced.read?.tables ?? []), ...raced.change.tables]) };
}

function isAllocationOf({ kind, text, pages }: Act, of: ReadonlySet<number>): boolean {
  return kind === 'page' && text.startsWith('allocates') && of.has(pages[0]!);
}

/** The table that the CPU of `end` has found in a pmd entry before, in the same operation. */
function tablesBefore(acts: readonly Act[], end: Act): readonly number[] {
  const found = acts
    .slice(0, acts.indexOf(end))
    .findLast(
      ({ kind, cpu, operation, tables }) =>
        kind === 'pmd-read' && cpu === end.cpu && operation === end.operation && tables.length > 0,
    );
  return found?.tables ?? [];
}

function rowsOf(
  groups: readonly Group[],
  acts: readonly Act[],
  raced: Raced | null,
): InterleavingRow[] {
  const sites = new Sites();
  return groups.map(({ acts: told, text }, i): InterleavingRow => {
    const [act] = told;
    const { cpu, step, kind, actor, operation } = act!;
    return {
      ...{ row: i + 1, cpu, step, kind, text },
      violation: told.find(({ violation }) => violation !== null)?.violation ?? null,
      staleFrom: staleFrom(told, groups, acts, raced),
      ...{ site: sites.of(act!.frames), actor, operation },
    };
  });
}

function momentOf({ acts }: Group): Moment {
  return { step: acts.at(-1)!.step, tables: acts.flatMap(({ tables }) => tables) };
}

/** The row by which what `told` has read is no longer true, before its CPU looks again. */
function staleFrom(
  told: readonly Act[],
  groups: readonly Group[],
  acts: readonly Act[],
  raced: Raced | null,
): InterleavingRow['staleFrom'] {
  for (const read of told) {
    const change = read === raced?.read ? raced.change : changeUnseen(read, acts);
    const row = groups.findIndex((group) => change !== null && group.acts.includes(change));
    if (row >= 0) return { row: row + 1, cpu: change!.cpu };
  }
  return null;
}

/**
 * Another CPU's change of a pmd entry within the operation that has read it and not looked again.
 */
function changeUnseen(read: Act, acts: readonly Act[]): Act | null {
  if (read.kind !== 'pmd-read') return null;
  const later = acts.slice(acts.indexOf(read) + 1);
  const next = later.findIndex(
    ({ at, cpu, changes }) => at === read.at && (changes || cpu === read.cpu),
  );
  const change = later[next];
  if (change === undefined || change.cpu === read.cpu) return null;
  const { cpu, operation } = read;
  const goesOn = later.slice(next).some((act) => act.cpu === cpu && act.operation === operation);
  return goesOn ? change : null;
}

function racedRows(
  raced: Raced | null,
  waits: readonly LockWait[],
  groups: readonly Group[],
): Interleaving['raced'] {
  const pair = raced === null ? [] : [raced.read ?? raced.wrong, raced.change];
  const acts = waits.length > 0 ? waits.flatMap(({ blocks }) => blocks) : pair;
  return acts.length === 0 ? null : acts.map((act) => ({ cpu: act.cpu, row: rowOf(groups, act) }));
}

/** The operations of a column, each once: `touch (write), dontneed`. */
function runsText({ columns }: Plan, cpu: number): string {
  return [...new Set(columns[cpu]!.flatMap(leavesOf))].join(', ');
}

function leavesOf(op: Op): string[] {
  switch (op.op) {
    case 'loop':
    case 'sweep':
      return op.do.flatMap(leavesOf);
    case 'mix':
      return op.choices.flatMap((choice) => choice.do.flatMap(leavesOf));
    case 'touch':
      return [op.access];
    case 'walk':
      return [op.walker];
    case 'madvise':
      return [`madvise(${op.advice})`];
    case 'rcutorture':
      return [`RCU ${op.role}`];
    case 'locktorture':
      return [`lock torture`];
    default:
      return [op.op];
  }
}
