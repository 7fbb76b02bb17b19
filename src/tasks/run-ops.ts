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
import { CODE } from '#scenario/trace/calls';
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
import { RecordedCalls } from './recorded-calls.ts';
import { meetAtMark } from './rendezvous.ts';
import { noteWritten, rereadOne } from './reread.ts';
import { goesOn, type Task } from './task.ts';
import { runLockTorture, runRcuTorture, runSleep } from './torture-ops.ts';
import { awaitTurn, endTurns, passTurn } from './turn.ts';
import { runWalk } from './walk-ops.ts';

/** Operations that run others. */
type Control = Op & { readonly op: 'loop' | 'mix' | 'sweep' | 'recorded' };

/**
 * Runs `ops` in order; `depth` is 0 for the column itself. A CPU that is told to stop does nothing
 * new, but it still comes to every rendezvous of its column, where others may be waiting for it,
 * and to its part of a recording, where others wait for their turns.
 */
export function runOps(cpu: Cpu, task: Task, ops: readonly Op[], depth: number): void {
  for (const op of ops) {
    const isAwaited = op.op === 'rendezvous' || op.op === 'recorded';
    if (isAwaited || peek(CONTROL.stop) === 0) runOp(cpu, task, op, depth);
  }
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
  else if (op.op === 'recorded') runRecorded(cpu, task, op);
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

function runRecorded(cpu: Cpu, task: Task, op: Op & { op: 'recorded' }): void {
  const calls = new RecordedCalls(op.calls);
  const inTurns = op.order === 'recorded';
  let isOwnTurn = !inTurns;
  while (goesOn() && calls.readCall()) {
    if (!isOwnTurn && !awaitTurn(cpu, calls.number)) break;
    runRecordedCall(cpu, task, calls);
    rereadOne(cpu, task, calls);
    operationEnd(cpu, task.machine);
    if (!inTurns) continue;
    isOwnTurn = calls.handTo < 0;
    if (!isOwnTurn) passTurn(cpu, calls.handTo, calls.number + 1);
  }
  if (inTurns) endTurns(cpu, task.machine.plan.cpus);
}

function runRecordedCall(cpu: Cpu, task: Task, calls: RecordedCalls): void {
  const { code } = calls;
  if (code === CODE.read || code === CODE.write) runTouch(cpu, task, calls.touch);
  else if (code === CODE.munmap) runMunmap(cpu, task, calls.munmap);
  else if (code === CODE.mremap) runMremap(cpu, task, calls.mremap);
  else if (code === CODE.dontneed) runDontneed(cpu, task, calls.dontneed);
  else if (code === CODE.mmap) runMmap(cpu, task, calls.mmap);
  else if (code === CODE.mprotect) runMprotect(cpu, task, calls.mprotect);
  else runMadvise(cpu, task, calls.madvise);
  if (code === CODE.write) noteWritten(cpu, task, calls);
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
