/**
 * What a CPU runs: the operations of its column, one mm call after another. Between two operations
 * it is back in user space: quiescent for RCU, open to task work, and told to stop or to halt.
 */

import { type Cpu, enterOperation } from '#arch/cpu';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { peek } from '#arena/word';
import { unreachable } from '#base/assert';
import { rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import { shareOf } from '#scenario/extent';
import type { Choice, Op } from '#scenario/plan';
import { traceOperationEnd } from '#trace/tracing';
import type { Machine } from './bind.ts';
import {
  runBrk,
  runDontneed,
  runMadvise,
  runMmap,
  runMprotect,
  runMremap,
  runMunmap,
  runPunch,
  runPurge,
  runTouch,
} from './memory-ops.ts';
import { runPressure, runReclaim, runScan, runScanUntilIdle } from './reclaim-ops.ts';
import { meetAtMark } from './rendezvous.ts';
import { goesOn, type Task } from './task.ts';
import { runLockTorture, runRcuTorture, runSleep } from './torture-ops.ts';
import { runWalk } from './walk-ops.ts';

/** Operations that run others. */
type Control = Op & { readonly op: 'loop' | 'mix' | 'sweep' };

/**
 * Runs `ops` in order; `depth` is 0 for the column itself. A CPU that is told to stop does nothing
 * new, but it still comes to every rendezvous of its column, where others may be waiting for it.
 */
export function runOps(cpu: Cpu, task: Task, ops: readonly Op[], depth: number): void {
  for (const op of ops)
    if (op.op === 'rendezvous' || peek(CONTROL.stop) === 0) runOp(cpu, task, op, depth);
}

/** Ends an operation: back to user space. */
export function operationEnd(cpu: Cpu, machine: Machine): void {
  rcuOperationEnd(cpu);
  if (hasHook(HOOK.userReturn)) boundProtocol().userReturn(cpu, machine.mm);
  traceOperationEnd(cpu);
  enterOperation(cpu);
  if (peek(CONTROL.halt) !== 0) throw new Halted();
}

function runOp(cpu: Cpu, task: Task, op: Op, depth: number): void {
  if (op.op === 'loop') runLoop(cpu, task, op.times, op.do, depth);
  else if (op.op === 'mix') runMix(cpu, task, op.times, op.choices, depth);
  else if (op.op === 'sweep') runSweep(cpu, task, op, depth);
  else {
    runLeaf(cpu, task, op);
    operationEnd(cpu, task.machine);
  }
}

function runLoop(
  cpu: Cpu,
  task: Task,
  times: number | null,
  ops: readonly Op[],
  depth: number,
): void {
  for (let i = 0; times === null || i < times; i++) {
    if (!nextRound(task, depth)) return;
    runOps(cpu, task, ops, depth + 1);
  }
}

function runMix(
  cpu: Cpu,
  task: Task,
  times: number | null,
  choices: readonly Choice[],
  depth: number,
): void {
  let weights = 0;
  for (const choice of choices) weights += choice.weight;
  for (let i = 0; times === null || i < times; i++) {
    if (!nextRound(task, depth)) return;
    let drawn = cpu.prng.below(weights);
    let at = 0;
    while (drawn >= choices[at]!.weight) drawn -= choices[at++]!.weight;
    runOps(cpu, task, choices[at]!.do, depth + 1);
  }
}

function runSweep(cpu: Cpu, task: Task, op: Op & { op: 'sweep' }, depth: number): void {
  const { plan, regionStarts } = task.machine;
  const share = shareOf(plan, regionStarts, cpu.id, op.region, op.share);
  for (let start = share.start; start < share.end; start += op.pages) {
    if (!nextRound(task, depth)) return;
    task.chunk.start = start;
    task.chunk.end = Math.min(start + op.pages, share.end);
    runOps(cpu, task, op.do, depth + 1);
  }
}

function nextRound(task: Task, depth: number): boolean {
  if (!goesOn()) return false;
  return depth > 0 || task.roundsLeft-- > 0;
}

function runLeaf(cpu: Cpu, task: Task, op: Exclude<Op, Control>): void {
  switch (op.op) {
    case 'touch':
      runTouch(cpu, task, op);
      break;
    case 'purge':
      runPurge(cpu, task, op);
      break;
    case 'dontneed':
      runDontneed(cpu, task, op);
      break;
    case 'punch':
      runPunch(cpu, task, op);
      break;
    case 'madvise':
      runMadvise(cpu, task, op);
      break;
    case 'mmap':
      runMmap(cpu, task, op);
      break;
    case 'mprotect':
      runMprotect(cpu, task, op);
      break;
    case 'mremap':
      runMremap(cpu, task, op);
      break;
    case 'brk':
      runBrk(cpu, task, op);
      break;
    case 'munmap':
      runMunmap(cpu, task, op);
      break;
    case 'walk':
      runWalk(cpu, task, op);
      break;
    case 'reclaim':
      runReclaim(cpu, task, op);
      break;
    case 'pressure':
      runPressure(cpu, task);
      break;
    case 'scan':
      if (op.untilIdle) runScanUntilIdle(cpu, task);
      else runScan(cpu, task);
      break;
    case 'sleep':
      runSleep(cpu, task, op.ms);
      break;
    case 'rendezvous':
      meetAtMark(cpu, task.machine);
      break;
    case 'rcutorture':
      runRcuTorture(cpu, op.role);
      break;
    case 'locktorture':
      runLockTorture(cpu, op.lock);
      break;
    default:
      unreachable(op);
  }
}
