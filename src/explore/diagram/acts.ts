/**
 * The acts of an execution: what of its steps and quiet acts a diagram may show, each with a clause
 * that says it. Free lists, counters, VMA lookup and the like are left out here already.
 */
import { GATE } from '#arena/gate';
import { PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { TLB_STATE } from '#arena/layout/percpu';
import { pmdText, pteText, type WordKind } from '#oracles/word-name';
import type { InterleavingKind } from '#result/interleaving';
import { countText } from './count-text.ts';
import { factText, precedesItsStep } from './fact-text.ts';
import type { QuietAct, RecordedStep, Recording } from './recording.ts';
import { type Frame, isWithin } from './sites.ts';

export interface Act {
  readonly step: number;
  readonly cpu: number;
  readonly kind: InterleavingKind;
  readonly text: string;
  /** The word, or 0; and whether the act changes it. */
  readonly at: number;
  readonly word: WordKind | null;
  readonly changes: boolean;
  /** What it is about; and for a pmd entry, the table that it stands in. */
  readonly tables: readonly number[];
  readonly pages: readonly number[];
  readonly vmas: readonly number[];
  readonly holder: number;
  /**
   * Of entries: index in the table, and what is said of the value; such acts can be told as one.
   */
  readonly index: number;
  readonly value: string;
  readonly violation: string | null;
  readonly frames: readonly Frame[];
  readonly actor: string;
  readonly operation: number;
}

type Told = Pick<Act, 'kind' | 'text'> & Partial<Act>;

/** All acts in the order in which they happened. */
export function actsOf(recording: Recording): Act[] {
  const { steps, quiet } = recording;
  const acts: Act[] = [];
  const releases = new Map<number, Lock>();
  const facts = new Map<number, string>();
  // What the flush covers that a CPU is about to begin.
  const ranges = new Map<number, string>();
  let next = 0;
  const add = (step: RecordedStep, told: Told | null): void => {
    if (told !== null) acts.push({ ...basis(step), ...told });
  };
  for (const step of steps) {
    const after: QuietAct[] = [];
    while (next < quiet.length && quiet[next]!.after <= step.step) after.push(quiet[next++]!);
    const took = after.find((act): act is QuietAct & Lock => act.kind === 'took');
    const release = step.found === step.left ? undefined : releases.get(step.cpu);
    if (release !== undefined) releases.delete(step.cpu);
    const told = took
      ? tellTaken(step, took, steps)
      : release
        ? tellLeft(release)
        : tell(step, ranges);
    const noted = facts.get(step.cpu) ?? null;
    if (told !== null || noted !== null) {
      add(step, { ...(told ?? tellPlain(step)), violation: noted });
      facts.delete(step.cpu);
    }
    for (const act of after) {
      if (act.kind === 'releases') releases.set(act.cpu, act);
      else if (act.kind === 'flush-range') ranges.set(act.cpu, act.text);
      else if (act.kind === 'fact') noteFact(acts, facts, step, act);
      else if (act.cpu === step.cpu && !isNoted(acts, act)) add(step, tellQuiet(act));
    }
  }
  return acts;
}

type Lock = { readonly lock: number; readonly name: string };

function basis(step: RecordedStep): Omit<Act, 'kind' | 'text'> {
  const { cpu, at, word, found, left, frames, actor, operation } = step;
  return {
    ...{ step: step.step, cpu, at, word: word.kind, changes: found !== left, frames, actor },
    ...{ tables: [], pages: [], vmas: [], index: -1, value: '', violation: null, operation },
    holder: word.kind === 'pmd' ? word.table : -1,
  };
}

/** Whether what was noted as wrong just now is this act. */
function isNoted(acts: readonly Act[], act: QuietAct): boolean {
  const latest = acts.at(-1);
  return latest !== undefined && latest.violation !== null && latest.text === tellQuiet(act)?.text;
}

/**
 * A fact that is noted before its access belongs to the step that follows; others to the access
 * just made, or they are acts of their own.
 */
function noteFact(
  acts: Act[],
  facts: Map<number, string>,
  step: RecordedStep,
  act: QuietAct & { kind: 'fact' },
): void {
  const { doing, wrong } = factText(act.fact, act.words);
  const latest = acts.at(-1);
  const hasChanged = step.word.kind === 'pte' && step.found !== step.left;
  if (precedesItsStep(act.fact) && !hasChanged) facts.set(act.cpu, wrong);
  else if (latest !== undefined && latest.step === step.step && (doing === null || hasChanged))
    acts[acts.length - 1] = { ...latest, violation: wrong };
  else
    acts.push({
      ...{ ...basis(step), at: 0, word: null, kind: 'other', frames: act.frames },
      ...{ text: doing ?? 'finds that something is wrong', violation: wrong },
      ...{ tables: numbersIn([doing ?? ''], 'table'), pages: numbersIn([doing ?? ''], 'page') },
      vmas: numbersIn([doing ?? ''], 'VMA'),
    });
}

function tell(step: RecordedStep, ranges: ReadonlyMap<number, string>): Told | null {
  switch (step.word.kind) {
    case 'pmd':
      return step.word.name.startsWith('pmd') ? tellPmd(step) : null;
    case 'pte':
      return tellPte(step);
    case 'lock':
      return tellLock(step);
    case 'ipi':
      return tellInterrupt(step);
    case 'tlb':
      return tellFlush(step, ranges.get(step.cpu) ?? 'what is cached');
    case 'rcu':
      return step.op === GATE.compareExchange && step.found !== step.left
        ? { kind: 'rcu', text: `moves the RCU epoch on to ${step.left}` }
        : null;
    case 'count':
      return tellCount(step);
    case 'torture':
      return tellPlain(step);
    default:
      if (step.word.name === 'userfaultFills') return tellUserfault(step);
      if (step.word.name.startsWith('tlbState')) return tellIdle(step);
      return / of VMA \d/.test(step.word.name) ? tellVma(step) : null;
  }
}

/** The access itself, where nothing better can be said. */
function tellPlain({ word, found, left, op }: RecordedStep): Told {
  if (op === GATE.wait) return { kind: 'other', text: `waits for ${word.name}` };
  if (found === left) return { kind: 'other', text: `reads ${word.name}: ${found}` };
  return { kind: 'other', text: `changes ${word.name}: ${found} to ${left}` };
}

/** Whether the access stores, be it what stands there already. */
function isStore(op: number): boolean {
  return op === GATE.store || op === GATE.write || op === GATE.exchange;
}

function tellPmd({ word, found, left, op }: RecordedStep): Told {
  const [before, after] = [pmdText(found), pmdText(left)];
  const tables = numbersIn([before, after], 'table');
  if (found === left && isStore(op))
    return {
      kind: 'unhook',
      text: `clears ${word.name}: ${before} already`,
      tables,
      changes: true,
    };
  if (found === left) return { kind: 'pmd-read', text: `reads ${word.name}: ${before}`, tables };
  if (left === 0) return { kind: 'unhook', text: `unhooks ${before}: clears ${word.name}`, tables };
  return { kind: 'hook', text: `hooks ${after}: sets ${word.name}`, tables };
}

function tellPte({ word, found, left, op }: RecordedStep): Told {
  const [before, after] = [pteText(found), pteText(left)];
  const pages = numbersIn([before, after], 'page');
  const where = { tables: [word.table], pages, index: word.index };
  const name = word.name;
  if (found === left && !isStore(op))
    return { ...where, kind: 'pte-read', text: `reads ${name}: ${before}`, value: before };
  const change = { ...where, kind: 'pte-write' } as const;
  if (left === 0) return { ...change, text: `clears ${name}: was ${before}`, value: 'none' };
  if (found === 0) return { ...change, text: `sets ${name}: ${after}`, value: after };
  return { ...change, text: `changes ${name}: ${before} to ${after}`, value: after };
}

function tellCount(step: RecordedStep): Told | null {
  const text = countText(step);
  return text === null ? null : { kind: 'other', text, tables: [step.word.table] };
}

/** Locks that are noted when they are taken are told then; here the others, and failures. */
function tellLock({ word, found, left, op, frames, cpu }: RecordedStep): Told | null {
  const tables = word.table < 0 ? [] : [word.table];
  if (word.cpu >= 0) {
    if (found === left) return null;
    const own = word.cpu === cpu ? 'its VMA lock for reading' : word.name;
    if (left === 0) return { kind: 'unlock', text: `releases ${own}` };
    return { kind: 'lock', text: `takes ${own}` };
  }
  if (op !== GATE.compareExchange || found !== left || !isWithin(frames, 'spinTrylock'))
    return null;
  const holder = found > 0 && found < 256 ? `held by cpu${found - 1}` : 'held';
  return { kind: 'trylock-failed', text: `tries ${word.name}: ${holder}`, tables };
}

function tellTaken(step: RecordedStep, took: Lock, steps: readonly RecordedStep[]): Told {
  const { frames, word, announced, at, cpu } = step;
  // The lock of a count's switches says nothing of the table's entries.
  const tables = word.table < 0 || word.name.startsWith('switch') ? [] : [word.table];
  const waited = steps
    .slice(announced, step.step)
    .some((other) => other.at === at && other.cpu !== cpu && other.left === 0);
  const verb = waited ? 'waits, then takes' : 'takes';
  const text = `${verb} ${took.name}${howTaken(frames)}`;
  return { kind: 'lock', text, tables, at: took.lock };
}

function howTaken(frames: readonly Frame[]): string {
  if (isWithin(frames, 'downWrite')) return ' for writing';
  if (isWithin(frames, 'downRead') || isWithin(frames, 'downReadTrylock')) return ' for reading';
  return isWithin(frames, 'spinTrylock') ? ' (trylock)' : '';
}

function tellLeft({ name, lock }: Lock): Told {
  const tables = name.startsWith('switch') ? [] : numbersIn([name], 'table');
  return { kind: 'unlock', text: `releases ${name}`, tables, at: lock };
}

function tellUserfault({ op, found, left }: RecordedStep): Told | null {
  if (found !== left) return { kind: 'other', text: 'wakes who waits for a page to be filled' };
  return op === GATE.wait ? { kind: 'other', text: 'waits for its page to be filled' } : null;
}

/** Whoever looks a VMA up compares where it ends. */
function tellVma({ word, found, left }: RecordedStep): Told | null {
  const vmas = numbersIn([word.name], 'VMA');
  const told = (text: string): Told => ({ kind: 'other', text, vmas });
  if (word.name.startsWith('attached') && found !== left)
    return told(left === 0 ? `takes VMA ${vmas[0]} out of the map` : `maps VMA ${vmas[0]}`);
  return word.name.startsWith('endSlot') && found === left ? told(`finds VMA ${vmas[0]}`) : null;
}

function tellInterrupt({ word, found, left, op }: RecordedStep): Told | null {
  if (found === left) return null;
  if (op === GATE.add) return { kind: 'ipi', text: `interrupts cpu${word.cpu}` };
  return word.name.startsWith('ipiServed') ? { kind: 'ipi', text: 'serves the interrupt' } : null;
}

function tellFlush({ found, left, frames }: RecordedStep, range: string): Told | null {
  if (found !== left) return { kind: 'flush', text: `begins a TLB flush of ${range}` };
  if (!isWithin(frames, 'carryOutFlushes') || isWithin(frames, 'enterMm')) return null;
  return { kind: 'flush', text: 'flushes its own TLB' };
}

function tellIdle({ cpu, word, found, left, frames }: RecordedStep): Told | null {
  const told = (text: string): Told => ({ kind: 'flush', text });
  if (word.cpu !== cpu)
    return found === TLB_STATE.lazy && !isWithin(frames, 'waitUntilServed')
      ? told(`finds cpu${word.cpu} idle in lazy TLB mode`)
      : null;
  if (left === TLB_STATE.lazy) return told('goes idle in lazy TLB mode');
  return found === TLB_STATE.lazy ? told('is no longer idle') : null;
}

function tellQuiet(act: QuietAct): Told | null {
  const quiet = { at: 0, word: null, changes: false, frames: act.frames };
  switch (act.kind) {
    case 'defer':
      return { ...quiet, kind: 'defer', text: `defers the free of ${act.name}`, tables: [act.a] };
    case 'free':
      return { ...quiet, kind: 'free', text: `frees ${act.name}`, tables: [act.a], changes: true };
    case 'page':
      return tellPage(act, quiet);
    case 'remembers':
      return {
        ...{ ...quiet, kind: 'remember', text: act.text, index: act.index },
        tables: act.table < 0 ? [] : [act.table],
        pages: act.page < 0 ? [] : [act.page],
      };
    case 'no-memory':
      return { ...quiet, kind: 'no-memory', text: 'finds no memory' };
    case 'rcu-enter':
      return { ...quiet, kind: 'rcu', text: 'begins an RCU read section' };
    case 'rcu-leave':
      return { ...quiet, kind: 'rcu', text: 'ends its RCU read section' };
    default:
      return null;
  }
}

function tellPage(
  { page, from, to }: QuietAct & { kind: 'page' },
  quiet: Partial<Act>,
): Told | null {
  const [before, after] = [from & PAGE_STATE_MASK, to & PAGE_STATE_MASK];
  const told = (text: string): Told => ({ ...quiet, kind: 'page', text, pages: [page] });
  if (after === PAGE_STATE.free) return told(`frees page ${page}`);
  return before === PAGE_STATE.free ? told(`allocates page ${page}`) : null;
}

/** The numbers that follow `noun` in the texts. */
export function numbersIn(texts: readonly string[], noun: string): number[] {
  const pattern = new RegExp(`\\b${noun} (\\d+)`, 'g');
  return texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => Number(match[1])));
}
