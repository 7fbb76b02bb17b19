/** What a fact says in a row of the diagram, as short as it can be; the verdict has the rest. */
import { pageText } from '#oracles/naming';
import { pmdText } from '#oracles/word-name';
import type { FactName } from '#trace/fact';

/** `doing`: the act, where no step is; null: it is the access just made. */
export interface FactText {
  readonly doing: string | null;
  readonly wrong: string;
}

type Tell = (words: readonly number[]) => FactText;

const TEXTS: Readonly<Partial<Record<FactName, Tell>>> = {
  frameMismatch: ([table]) =>
    told(`follows its entry to table ${table}`, `table ${table} is free, or used again`),
  tableZero: () => told('follows an entry that is none', 'table 0 is no table'),
  lostEntry: ([table]) => told(null, `table ${table} is unhooked: the entry is lost`),
  nonemptyUnhooked: ([table, entries]) => told(null, `table ${table} has ${counted(entries!)}`),
  nonemptyFreed: ([table, index]) => told(`frees table ${table}`, `its entry ${index} is not none`),
  doubleFree: ([what, number, , unhooked]) => {
    const noun = ['table', 'page', 'body'][what!];
    const act = unhooked === 1 ? 'unhooks' : 'frees';
    return told(`${act} ${noun} ${number}`, `that ${noun} was gone already`);
  },
  lostData: ([slot, index]) => told(`reads ${place(slot!, index!)}`, 'what was written is lost'),
  rcuTooEarly: () => told('ends its RCU read section', 'what it reads was freed meanwhile'),
  exclusionLost: () => told('looks who is inside', 'another CPU is inside as well'),
  sleepInAtomic: () => told('may sleep', 'it holds a spinlock'),
  pageMismatch: ([page, state]) => told(`uses page ${page}`, `it is ${pageText(state!)}`),
  countUnderflow: () => told('counts down', 'the count falls below zero'),
  staleTranslation: ([slot, index, page, remembered, found]) =>
    page! < 0
      ? told(
          `walks ${place(slot!, index!)} by what it remembers: ${pmdText(remembered!)}`,
          'that table is gone',
        )
      : told(
          `accesses ${place(slot!, index!)} by its TLB: page ${page}`,
          `page ${page} is ${pageText(found!)} by now`,
        ),
  tableLeft: ([table]) => told(`finds table ${table}`, 'it should be gone'),
  referencesLeft: ([table]) => told(`frees table ${table}`, 'it has references'),
  dontneedNotDone: ([slot, index]) =>
    told(`reads ${place(slot!, index!)}`, 'what was zapped is there still'),
  staleRemembered: ([, , page]) => told(`remembers page ${page}`, 'the entry maps another page'),
  vmaGone: ([vma]) => told(`goes by VMA ${vma}`, `VMA ${vma} is in the map no more`),
  untruthfulError: ([said, slot, index]) =>
    [
      told('reports that memory is short', 'no allocation has failed'),
      told("reports that it has dropped its caller's lock", 'it is still held'),
      told(`finds ${place(slot!, index!)} filled`, 'it had waited for what was there before'),
    ][said!]!,
  waitIrqsOff: () => told('waits for other CPUs', 'its interrupts are off'),
  pageReused: ([page]) => told(`uses page ${page}`, 'it has another life by now'),
};

/** Noted just before the access that is wrong. */
const BEFORE: ReadonlySet<FactName> = new Set(['lostEntry', 'nonemptyUnhooked']);

export function factText(fact: FactName, words: readonly number[]): FactText {
  const plain = fact.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return TEXTS[fact]?.(words) ?? told(null, plain);
}

/** Whether the wrong access is the step after the fact. */
export function precedesItsStep(fact: FactName): boolean {
  return BEFORE.has(fact);
}

function told(doing: string | null, wrong: string): FactText {
  return { doing, wrong };
}

function place(slot: number, index: number): string {
  return `slot ${slot} entry ${index}`;
}

function counted(entries: number): string {
  return entries === 1 ? 'an entry set' : `${entries} entries set`;
}
