/**
 * What an owner remembers of its pages: the latest stamps it stored, in a direct-mapped table that
 * forgets older ones. A read may find the stamp, or zero if a zap of that address overlapped or
 * followed the store; anything else is noted as a fact, and so is a stamp that a later zap of the
 * owner's own ought to have taken away.
 *
 * Where all CPUs write the same pages another's stamp is as good; what is remembered stays so,
 * since a zero needs the same excuse whoever wrote last.
 *
 * Where a userfaultfd looks after memory it also remembers when it last found a page there: until
 * a zap takes it away, nobody may have to wait for it to be filled again.
 */

import type { Cpu } from '#arch/cpu';
import { boundMap, ptrsMask, ptrsShift } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { peek } from '#arena/word';
import { indexOfPage, slotOfPage } from '#mm/place';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { movedSince, ZAPPED, zappedByOwn, zappedSince } from './zap-log.ts';

/** Pages remembered at most, as a power of two; at least the entries of a table. */
const REMEMBERED_SHIFT_MAX = 14;
const RECORD_WORDS = 4;
/** The bits of a stamp, less 1, that say whose it is. */
const CPU_BITS = 6;
const CPU_MASK = (1 << CPU_BITS) - 1;
const SLOT = 0;
const STAMP = 1;
const CLOCK = 2;
/** Zap clock, plus 1, before the page was last found; 0: not known. */
const FOUND = 3;

export class UserMemory {
  private readonly records: Int32Array;
  private readonly positionMask: number;
  private readonly cpu: Cpu;
  /** Whether other CPUs write the same pages. */
  private readonly isShared: boolean;
  private serial = 0;

  constructor(cpu: Cpu, isShared: boolean) {
    this.cpu = cpu;
    this.isShared = isShared;
    // A small machine cannot hold more pages than it has, and is set up often.
    const frames = 32 - Math.clz32(boundMap().geometry.pages);
    const shift = Math.min(REMEMBERED_SHIFT_MAX, Math.max(frames, ptrsShift()));
    this.records = new Int32Array(RECORD_WORDS << shift);
    this.positionMask = (1 << shift) - 1;
  }

  /** A stamp that this owner has not used for 2^24 stores: its number in the low bits, never 0. */
  nextStamp(): number {
    this.serial = (this.serial + 1) & 0xffffff;
    return ((this.serial << CPU_BITS) | (this.cpu.id & CPU_MASK)) + 1;
  }

  /** Remembers a store; `clock` is the zap clock read before it. */
  remember(slot: number, index: number, stamp: number, clock: number): void {
    const at = this.recordOf(slot, index);
    if (this.records[at + SLOT] !== slot) this.records[at + FOUND] = 0;
    this.records[at + SLOT] = slot;
    this.records[at + STAMP] = stamp;
    this.records[at + CLOCK] = clock;
  }

  /** Whether the page holds what is remembered of it, for all that the logs of zaps know. */
  isThere(slot: number, index: number): boolean {
    const at = this.recordOf(slot, index);
    if (this.records[at + STAMP] === 0 || this.records[at + SLOT] !== slot) return false;
    return zappedSince(slot, index, this.records[at + CLOCK]!) === ZAPPED.no;
  }

  /** Compares what a load found with what is remembered of the page, if anything is. */
  compare(slot: number, index: number, found: number): void {
    const at = this.recordOf(slot, index);
    const stamp = this.records[at + STAMP]!;
    if (stamp === 0 || this.records[at + SLOT] !== slot) return;
    if (this.isShared && found !== 0 && this.isOfOther(found)) return;
    const clock = this.records[at + CLOCK]!;
    let excused: number = ZAPPED.no;
    if (found === 0) excused = zappedSince(slot, index, clock);
    else if (found !== stamp) excused = movedSince(slot, index, clock);
    if (excused === ZAPPED.unknown) count(this.cpu, COUNTER.dataUnjudged, 1);
    else count(this.cpu, COUNTER.dataCompared, 1);
    if (found !== stamp && excused === ZAPPED.no)
      noteFact(this.cpu, FACT.lostData, slot, index, stamp, found, clock);
    const kept = found === stamp && zappedByOwn(this.cpu, slot, index, clock);
    if (kept) noteFact(this.cpu, FACT.dontneedNotDone, slot, index, stamp, clock, 0);
    if (found !== stamp || kept) this.records[at + STAMP] = 0;
  }

  /** What was remembered of `pages` pages from page `from` on is now of those from `to` on. */
  move(from: number, to: number, pages: number): void {
    const { records } = this;
    const clock = zapClock();
    for (let i = 0; i < pages; i++) {
      const old = this.recordOf(slotOfPage(from + i), indexOfPage(from + i));
      if (records[old + SLOT] !== slotOfPage(from + i)) continue;
      const stamp = records[old + STAMP]!;
      records[old + STAMP] = 0;
      records[old + FOUND] = 0;
      const slot = slotOfPage(to + i);
      const at = this.recordOf(slot, indexOfPage(to + i));
      records[at + FOUND] = 0;
      records[at + SLOT] = slot;
      records[at + STAMP] = stamp;
      records[at + CLOCK] = clock;
    }
  }

  /**
   * The page was found there, `clock` is the zap clock read before the access; `waited`: it had to
   * be filled first.
   */
  noteFound(slot: number, index: number, clock: number, waited: boolean): void {
    const { records } = this;
    const at = this.recordOf(slot, index);
    if (records[at + SLOT] !== slot) {
      records[at + SLOT] = slot;
      records[at + STAMP] = 0;
      records[at + FOUND] = 0;
    }
    const found = records[at + FOUND]!;
    if (waited && found !== 0 && zappedSince(slot, index, found - 1) === ZAPPED.no)
      noteFact(this.cpu, FACT.untruthfulError, 2, slot, index, 0, 0);
    records[at + FOUND] = clock + 1;
  }

  private isOfOther(stamp: number): boolean {
    return ((stamp - 1) & CPU_MASK) !== (this.cpu.id & CPU_MASK);
  }

  private recordOf(slot: number, index: number): number {
    return (((slot << ptrsShift()) | (index & ptrsMask())) & this.positionMask) * RECORD_WORDS;
  }
}

/** The zap clock, to be read before a store. */
export function zapClock(): number {
  return peek(CONTROL.zapClock);
}
