/**
 * What an execution ended in, read from the arena at the end of its main phase as one bit for each
 * outcome. Counters count from boot, so a scenario whose setup reclaims a table has `reclaimed`
 * always.
 *
 * `tableKept` is read from the tables themselves: some PTE table is in use, and its descriptor
 * counts no entry. Whether an oracle found a violation is not in the arena: that bit is left clear
 * for the caller, who has the verdicts.
 */
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { FRAME, frameLevelOf, frameStateOf, PTDESC, USE_COUNT_MASK } from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { OUTCOME_NAMES } from '#scenario/outcomes';
import type { OutcomeName } from '#scenario/plan';
import { COUNTER } from '#trace/counters';

/** Names in the order of their bits; the kinds of races come first, with their own numbers. */
export const OUTCOMES: readonly OutcomeName[] = OUTCOME_NAMES;

const RECLAIMED = bitOf('reclaimed');
const TABLE_KEPT = bitOf('tableKept');
const FLUSH_WAITED = bitOf('flushWaited');
const OVERLAP = bitOf('overlap');
const OOM = bitOf('oom');

/** The bit of an outcome in what `outcomesOf` returns. */
export function bitOf(outcome: OutcomeName): number {
  return 1 << OUTCOMES.indexOf(outcome);
}

/** The outcomes so far, as bits; all but `violation`. */
export function outcomesOf(words: Words, map: ArenaMap): number {
  let found = hasEmptyTable(words, map) ? TABLE_KEPT : 0;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = map.percpu + cpu * map.percpuWords;
    found |= words[block + PERCPU.raceKinds]!;
    if (words[block + COUNTER.tablesReclaimed]! !== 0) found |= RECLAIMED;
    if (words[block + COUNTER.ipisSent]! !== 0) found |= FLUSH_WAITED;
    if (words[block + COUNTER.pwcOverlaps]! !== 0) found |= OVERLAP;
    if (words[block + COUNTER.oom]! !== 0) found |= OOM;
  }
  return found;
}

/** Frames beyond the first that was never used are not looked at. */
function hasEmptyTable(words: Words, map: ArenaMap): boolean {
  const end = map.ptdescs + words[CONTROL.tableFresh]! * PTDESC.sizeWords;
  for (let at = map.ptdescs; at < end; at += PTDESC.sizeWords) {
    const state = words[at + PTDESC.state]!;
    if (frameStateOf(state) !== FRAME.table || frameLevelOf(state) !== 0) continue;
    if ((words[at + PTDESC.use]! & USE_COUNT_MASK) === 0) return true;
  }
  return false;
}
