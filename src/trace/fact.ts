/**
 * Facts: what a CPU saw that ought not to be. Noted in its block, with what it was doing; oracles
 * judge. The first facts are kept, later ones only counted: the first is the one that matters.
 */
import type { CpuRef } from '#arena/gate';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { FACT_RECORD, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import { peek, poke, quietAdd, quietStore } from '#arena/word';
import { traceFact } from './tracing.ts';

/**
 * Fact kinds and the meaning of their five words.
 * - `frameMismatch`: table, state word found, level, the entry that led there (-1: none),
 *   descriptor's place
 * - `tableZero`: 0, level, place
 * - `lostEntry`: table, index, entry installed, use word (who unhooked the table), state word
 * - `nonemptyUnhooked`: table, entries counted, use word (last filler), slot
 * - `nonemptyFreed`: table, index of the first entry that is not none, that entry
 * - `doubleFree`: 0 table / 1 page / 2 body, its number, state word found, 1 if it was to be
 *   unhooked
 * - `lostData`: slot, index, stamp expected, content found, zap clock at the write
 * - `rcuTooEarly`: element, stage seen, readers' epoch
 * - `rcuUnbalanced`: nesting found
 * - `exclusionLost`: lock class, three words of what was found, which check (0 owners, 1 words, 2
 *   reader)
 * - `sleepInAtomic`: spinlocks held
 * - `pageMismatch`: pfn, state word found, state expected
 * - `countUnderflow`: which (0 nrPtes 1 use count), value
 * - `staleTranslation`: slot, index, pfn (-1: a table), state word when it was remembered, and
 *   found
 * - `tableLeft`: table that munmap found, though tables go with their last reference, slot
 * - `referencesLeft`: table being freed, references that it counts
 * - `dontneedNotDone`: slot, index, stamp found, zap clock at the write
 * - `staleRemembered`: slot, index, page remembered, entry that stands there
 * - `pageReused`: pfn, state word found, life in which it was found and referenced
 * - `waitIrqsOff`: sections with interrupts off that are open
 * - `untruthfulError`: what was said (0 out of memory, 1 lock dropped, 2 page missing), slot, index
 * - `vmaGone`: VMA that somebody goes by and that is in the map no more, its first slot
 */
export const FACTS = [
  'frameMismatch',
  'tableZero',
  'lostEntry',
  'nonemptyUnhooked',
  'nonemptyFreed',
  'doubleFree',
  'lostData',
  'rcuTooEarly',
  'rcuUnbalanced',
  'exclusionLost',
  'sleepInAtomic',
  'pageMismatch',
  'countUnderflow',
  'staleTranslation',
  'tableLeft',
  'referencesLeft',
  'dontneedNotDone',
  'staleRemembered',
  'pageReused',
  'waitIrqsOff',
  'untruthfulError',
  'vmaGone',
] as const;

export type FactName = (typeof FACTS)[number];

export const FACT = Object.fromEntries(FACTS.map((name, i) => [name, i])) as Readonly<
  Record<FactName, number>
>;

/** Notes a fact; the run goes on to its end, which may come sooner for it. */
export function noteFact(
  cpu: CpuRef,
  kind: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
): void {
  const count = peek(cpu.block + PERCPU.factCount);
  if (count < FACTS_MAX) {
    const at = cpu.block + PERCPU.facts + count * FACT_RECORD.sizeWords;
    poke(at + FACT_RECORD.kind, kind);
    poke(at + FACT_RECORD.actor, peek(cpu.block + PERCPU.actor));
    poke(at + FACT_RECORD.operation, peek(cpu.block + PERCPU.operation));
    poke(at + FACT_RECORD.a, a);
    poke(at + FACT_RECORD.b, b);
    poke(at + FACT_RECORD.c, c);
    poke(at + FACT_RECORD.d, d);
    poke(at + FACT_RECORD.e, e);
  }
  poke(cpu.block + PERCPU.factCount, count + 1);
  traceFact(cpu, kind);
  quietAdd(CONTROL.facts, 1);
  if (peek(CONTROL.stopAtFact) !== 0) quietStore(CONTROL.stop, 1);
}

/** Notes a fact that leaves shared memory in doubt, and halts the machine. */
export function panic(
  cpu: CpuRef,
  kind: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
): never {
  noteFact(cpu, kind, a, b, c, d, e);
  quietStore(CONTROL.halt, 1);
  throw new Halted();
}
