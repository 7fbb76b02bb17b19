/**
 * A fair reader-writer semaphore (the role of `mmap_lock`): a ticket lock in which consecutive
 * readers share. Three words: the next ticket, the ticket that may enter as a reader, and the
 * number of holders that have left, which is the ticket that may enter as a writer.
 *
 * A waiter outside an RCU read section reports itself quiescent while it waits.
 */

import type { Cpu } from '#arch/cpu';
import { nowUs } from '#arena/clock';
import { add, addAndWake, compareExchange, load, waitWhile } from '#arena/word';
import { countAcquired, countContended, countTrylockFailed, mightSleep } from './held.ts';
import { rcuIdleEnter, rcuIdleExit } from './rcu.ts';

const NEXT = 0;
const READER = 1;
const WRITER = 2;

export function downRead(cpu: Cpu, sem: number, lockClass: number): void {
  mightSleep(cpu);
  const mine = add(cpu, sem + NEXT, 1);
  awaitTurn(cpu, sem + READER, mine, lockClass); // @rwsem-read-wait
  addAndWake(cpu, sem + READER, 1);
  countAcquired(cpu, lockClass);
}

export function downReadTrylock(cpu: Cpu, sem: number, lockClass: number): boolean {
  const next = load(cpu, sem + NEXT);
  if (
    load(cpu, sem + READER) !== next ||
    compareExchange(cpu, sem + NEXT, next, next + 1) !== next
  ) {
    countTrylockFailed(cpu, lockClass);
    return false;
  }
  addAndWake(cpu, sem + READER, 1);
  countAcquired(cpu, lockClass);
  return true;
}

export function upRead(cpu: Cpu, sem: number): void {
  addAndWake(cpu, sem + WRITER, 1);
}

export function downWrite(cpu: Cpu, sem: number, lockClass: number): void {
  mightSleep(cpu);
  const mine = add(cpu, sem + NEXT, 1);
  awaitTurn(cpu, sem + WRITER, mine, lockClass); // @rwsem-write-wait
  countAcquired(cpu, lockClass);
}

export function upWrite(cpu: Cpu, sem: number): void {
  addAndWake(cpu, sem + READER, 1);
  addAndWake(cpu, sem + WRITER, 1);
}

function awaitTurn(cpu: Cpu, at: number, mine: number, lockClass: number): void {
  let serving = load(cpu, at);
  if (serving === mine) return;
  const since = nowUs();
  const idle = rcuIdleEnter(cpu);
  while (serving !== mine) {
    waitWhile(cpu, at, serving);
    serving = load(cpu, at);
  }
  if (idle) rcuIdleExit(cpu);
  countContended(cpu, lockClass, (nowUs() - since) | 0);
}
