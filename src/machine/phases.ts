/**
 * When each phase of a run began and ended, and how many page tables there were. The main phase may
 * have parts with names of their own: each begins where all CPUs meet and set a mark.
 */
import { nowMs } from '#arena/clock';
import { CONTROL, MARKS_MAX, PHASE } from '#arena/layout/control';
import type { Words } from '#arena/word';
import type { Phase } from '#result/result';
import type { Plan } from '#scenario/plan';

/** KiB of a page table, of whatever level: what Linux counts in VmPTE. */
export const TABLE_KIB = 4;

/** Setup, main, the named parts of main that began, fair; `endKiB` is VmPTE at the end. */
export function phasesOf(plan: Plan, words: Words, endKiB: number): Phase[] {
  const fixed = (name: 'setup' | 'main' | 'fair', vmpteKiB: number): Phase => ({
    name,
    seconds: phaseSeconds(words, PHASE[name]),
    vmpteKiB,
  });
  return [
    fixed('setup', vmpteAtKiB(words, PHASE.main)),
    fixed('main', vmpteAtKiB(words, PHASE.fair)),
    ...namedPhases(plan, words),
    fixed('fair', endKiB),
  ];
}

/** VmPTE when `phase` (a value of `PHASE`) began, in KiB. */
export function vmpteAtKiB(words: Words, phase: number): number {
  return TABLE_KIB * words[CONTROL.phaseTables + phase]!;
}

/** Seconds from the beginning of `phase` to that of the next, or until now while it lasts. */
export function phaseSeconds(words: Words, phase: number): number {
  if (words[CONTROL.phase]! < phase) return 0;
  return secondsBetween(words[CONTROL.phaseBegan + phase]!, endOf(words, phase));
}

/** Each lasts from its mark to the next one, or to the end of the main phase. */
function namedPhases(plan: Plan, words: Words): Phase[] {
  const names = (plan.columns[0] ?? []).flatMap((op) => (op.op === 'rendezvous' ? op.phase : []));
  const marks = Math.min(words[CONTROL.marks]!, names.length, MARKS_MAX);
  return names.slice(0, marks).map((name, i) => {
    const isLast = i + 1 === marks;
    const end = isLast ? endOf(words, PHASE.main) : words[CONTROL.markBegan + i + 1]!;
    const tables = isLast
      ? words[CONTROL.phaseTables + PHASE.fair]!
      : words[CONTROL.markTables + i + 1]!;
    return {
      name,
      seconds: secondsBetween(words[CONTROL.markBegan + i]!, end),
      vmpteKiB: TABLE_KIB * tables,
    };
  });
}

/** The time (ms) at which the phase after `phase` began; now, while `phase` lasts. */
function endOf(words: Words, phase: number): number {
  return words[CONTROL.phase]! > phase ? words[CONTROL.phaseBegan + phase + 1]! : nowMs();
}

function secondsBetween(beganMs: number, endedMs: number): number {
  return ((endedMs - beganMs) | 0) / 1000;
}
