/** Operations that leave memory alone: rounds of the torture tests, and idle time. */

import type { Cpu } from '#arch/cpu';
import { enterLazyTlb, enterMm, interruptPoint } from '#arch/interrupts';
import { nowMs } from '#arena/clock';
import { sleepUntil } from '#arena/word';
import { checkRemembered } from '#mm/check-remembered';
import { speculativeWalk } from '#mm/hardware-walk';
import type { TorturedLock } from '#scenario/plan';
import { lockTorture, TORTURED } from '#sync/lock-torture';
import { rcuIdleEnter, rcuIdleExit } from '#sync/rcu';
import { rcuTortureRead, rcuTortureWrite } from '#sync/rcu-torture';
import { ACT } from '#trace/act';
import { ROUND, traceRound } from '#trace/tracing';
import { noteActAlone, type Task } from './task.ts';

export function runRcuTorture(cpu: Cpu, role: 'reader' | 'writer'): void {
  traceRound(cpu, role === 'reader' ? ROUND.rcuReader : ROUND.rcuWriter);
  if (role === 'reader') rcuTortureRead(cpu);
  else rcuTortureWrite(cpu);
}

export function runLockTorture(cpu: Cpu, lock: TorturedLock): void {
  traceRound(cpu, ROUND.lock);
  lockTorture(cpu, lock === 'vma-lock' ? TORTURED.vmaLock : TORTURED[lock]);
}

/**
 * Idle, in lazy TLB mode: hardware may walk on its own whenever it likes. RCU must know of its
 * walks, since bodies on demand go without a flush.
 */
export function runSleep(cpu: Cpu, task: Task, ms: number): void {
  const until = (nowMs() + ms) | 0;
  noteActAlone(cpu, ACT.sleep, ms);
  checkRemembered(cpu, task.machine.mm);
  enterLazyTlb(cpu);
  for (let isTimeLeft = true; isTimeLeft; ) {
    const idle = rcuIdleEnter(cpu);
    isTimeLeft = sleepUntil(cpu, until);
    if (idle) rcuIdleExit(cpu);
    interruptPoint(cpu);
    speculativeWalk(cpu, task.machine.mm);
  }
  enterMm(cpu);
}
