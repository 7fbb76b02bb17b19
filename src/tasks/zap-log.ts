/**
 * The log of zaps: which ranges were given back, and when by the zap clock, so that an owner who
 * finds zero where it had stored can be judged. The clock moves when a zap begins and when it ends.
 *
 * MADV_FREE is logged as well, as `lazy`. It takes content away at any time later, but only what
 * was stored before it ended: a later store makes the page dirty, so that it is kept. Hence it
 * excuses the same as a zap that ended then, a zero in place of what was stored before its end, for
 * as long as the owner stores nothing newer; and unlike a zap it excuses finding the content still
 * there.
 *
 * mremap is logged as `moved`, at the place that it takes pages from and at the one that it brings
 * them to, where an owner then finds what somebody stored elsewhere: whatever it finds is excused,
 * what was there before included.
 */

import type { Cpu } from '#arch/cpu';
import { boundMap } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { PERCPU, ZAP_LOG_MAX, ZAP_RECORD } from '#arena/layout/percpu';
import { peek, poke, quietAdd } from '#arena/word';

/** Of a CPU's own zaps, so many are looked through when it finds what it had stored. */
const OWN_ZAPS_MAX = 4;

/** What a record is of. */
const LOGGED = { zap: 0, lazy: 1, moved: 2 } as const;

/** Says that this CPU is about to zap [start, end). */
export function zapBegins(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  logRange(cpu, startSlot, startIndex, endSlot, endIndex, LOGGED.zap);
}

/** Says the same of MADV_FREE. */
export function freeBegins(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  logRange(cpu, startSlot, startIndex, endSlot, endIndex, LOGGED.lazy);
}

/** Says the same of one end of a move. */
export function moveBegins(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  logRange(cpu, startSlot, startIndex, endSlot, endIndex, LOGGED.moved);
}

function logRange(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  logged: number,
): void {
  const at = recordAt(cpu.block, peek(cpu.block + PERCPU.zapCount));
  poke(at + ZAP_RECORD.startSlot, startSlot);
  poke(at + ZAP_RECORD.startIndex, startIndex);
  poke(at + ZAP_RECORD.endSlot, endSlot);
  poke(at + ZAP_RECORD.endIndex, endIndex);
  poke(at + ZAP_RECORD.ended, 0);
  poke(at + ZAP_RECORD.logged, logged);
  poke(at + ZAP_RECORD.began, quietAdd(CONTROL.zapClock, 1) + 1);
  poke(cpu.block + PERCPU.zapCount, (peek(cpu.block + PERCPU.zapCount) + 1) | 0);
  quietAdd(CONTROL.zapClock, 0);
}

/** Says that the zap or MADV_FREE announced last is over. */
export function zapEnds(cpu: Cpu): void {
  movesEnd(cpu, 1);
}

/** Says it of what was announced in the last `announced` calls. */
export function movesEnd(cpu: Cpu, announced: number): void {
  const count = peek(cpu.block + PERCPU.zapCount);
  const clock = quietAdd(CONTROL.zapClock, 1) + 1;
  for (let i = 1; i <= announced; i++)
    poke(recordAt(cpu.block, count - i) + ZAP_RECORD.ended, clock);
}

/** Answers of `zappedSince`. */
export const ZAPPED = { no: 0, yes: 1, unknown: 2 } as const;

/** Whether a zap of (slot, index) was running at zap clock `since` or began later. */
export function zappedSince(slot: number, index: number, since: number): number {
  return loggedSince(slot, index, since, false);
}

/** Whether a move to or from (slot, index) was. */
export function movedSince(slot: number, index: number, since: number): number {
  return loggedSince(slot, index, since, true);
}

function loggedSince(slot: number, index: number, since: number, moves: boolean): number {
  const { percpu, percpuWords, geometry } = boundMap();
  let answer: number = ZAPPED.no;
  for (let id = 0; id < geometry.cpus; id++) {
    const block = percpu + id * percpuWords;
    const count = peek(block + PERCPU.zapCount);
    const oldest = Math.max(0, count - ZAP_LOG_MAX);
    for (let i = count - 1; i >= oldest; i--) {
      const at = recordAt(block, i);
      if (moves && peek(at + ZAP_RECORD.logged) !== LOGGED.moved) continue;
      if (covers(at, slot, index) && endedAfter(at, since)) return ZAPPED.yes;
    }
    // What has been overwritten may have mattered, unless the oldest kept is old enough.
    if (oldest > 0 && ((peek(recordAt(block, oldest) + ZAP_RECORD.began) - since) | 0) > 0)
      answer = ZAPPED.unknown;
  }
  return answer;
}

/**
 * Whether one of the latest zaps of this CPU itself began after zap clock `since` and covered
 * (slot, index). A CPU that asks is in none of its own zaps: they have all returned.
 */
export function zappedByOwn(cpu: Cpu, slot: number, index: number, since: number): boolean {
  const count = peek(cpu.block + PERCPU.zapCount);
  for (let i = count - 1; i >= Math.max(0, count - OWN_ZAPS_MAX); i--) {
    const at = recordAt(cpu.block, i);
    if (((peek(at + ZAP_RECORD.began) - since) | 0) <= 0) return false;
    if (peek(at + ZAP_RECORD.logged) === LOGGED.zap && covers(at, slot, index)) return true;
  }
  return false;
}

function endedAfter(at: number, since: number): boolean {
  const ended = peek(at + ZAP_RECORD.ended);
  return ended === 0 || ((ended - since) | 0) > 0;
}

function covers(at: number, slot: number, index: number): boolean {
  const fromSlot = peek(at + ZAP_RECORD.startSlot);
  const toSlot = peek(at + ZAP_RECORD.endSlot);
  if (slot < fromSlot || slot > toSlot) return false;
  if (slot === fromSlot && index < peek(at + ZAP_RECORD.startIndex)) return false;
  return slot !== toSlot || index < peek(at + ZAP_RECORD.endIndex);
}

function recordAt(block: number, position: number): number {
  return block + PERCPU.zapLog + (position & (ZAP_LOG_MAX - 1)) * ZAP_RECORD.sizeWords;
}
