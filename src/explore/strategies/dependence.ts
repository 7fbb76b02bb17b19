/**
 * Quiet words whose order means nothing: statistics and attribution. No protocol decides by them
 * and no verdict or outcome depends on how two CPUs' accesses to them are ordered, so a search need
 * not try both orders. Of other quiet words the accesses count like gated ones.
 *
 * Gated accesses always count. A word that is waited for is changed by gated accesses only.
 */
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';

/** Words of the control block: from a field, up to another. */
const OF_CONTROL: readonly (readonly [from: keyof typeof CONTROL, to: keyof typeof CONTROL])[] = [
  // Set once a fact has been noted, which ends the execution; a `stop` comes from outside only.
  ['halt', 'arrived'],
  // Times and peaks of grace periods.
  ['rcuEpochSince', 'rcuBacklogPeak'],
  // Numbers zaps, so that user data can be judged: see the logs of zaps below.
  ['zapClock', 'zoneLock'],
  ['sleepers', 'sizeWords'],
];

/** Words of each CPU's block: what it alone writes, and others read after the end, if at all. */
const OF_BLOCK: readonly (readonly [from: keyof typeof PERCPU, to: keyof typeof PERCPU])[] = [
  // Where it waits, and what it does.
  ['waitAt', 'rcuNesting'],
  // Locks held: this CPU's own memory.
  ['heldCount', 'mcs'],
  // Facts are judged as they are; events are for reports.
  ['factCount', 'tableCount'],
  // The log of zaps excuses a zero that an owner finds. What clears an entry and what stores or
  // finds user data are gated and keep their order; only how far beyond them a zap's record
  // reaches is left open, so a zap that is still returning may excuse one zero too many.
  ['rcuLatency', 'pageCount'],
  ['faultsUntimed', 'sizeWords'],
];

/** Words of the address space: read quietly for the peak of their sum. */
const OF_MM: readonly (readonly [from: keyof typeof MM, to: keyof typeof MM])[] = [
  ['nrPtes', 'vmaMap'],
];

/** 1 for each word of the arena whose quiet accesses need no order. */
export function ignoredWords(map: ArenaMap): Uint8Array {
  const ignored = new Uint8Array(map.sizeWords);
  for (const [from, to] of OF_CONTROL) ignored.fill(1, CONTROL[from], CONTROL[to]);
  for (const [from, to] of OF_MM) ignored.fill(1, map.mm + MM[from], map.mm + MM[to]);
  for (let id = 0; id < map.geometry.cpus; id++) {
    const block = map.percpu + id * map.percpuWords;
    for (const [from, to] of OF_BLOCK) ignored.fill(1, block + PERCPU[from], block + PERCPU[to]);
  }
  return ignored;
}
