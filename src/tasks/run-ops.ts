/**
 * What a CPU runs: the operations of its column, one mm call after another. Between two operations
 * it is back in user space: quiescent for RCU, open to task work, and told to stop or to halt.
 */

import { type Cpu, enterOperation } from '#arch/cpu';
import { enterLazyTlb, enterMm, interruptPoint } from '#arch/interrupts';
import { ptrsMask } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { VMA_FLAG } from '#arena/layout/mm';
import { peek, sleepUntil } from '#arena/word';
import { speculativeWalk } from '#mm/hardware-walk';
import { madviseDontneed } from '#mm/madvise';
import { mmapRegion, munmap } from '#mm/mmap';
import { rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import type { Choice, Op, TorturedLock, VmaFlag } from '#scenario/plan';
import { lockTorture, TORTURED } from '#sync/lock-torture';
import { rcuIdleEnter, rcuIdleExit } from '#sync/rcu';
import { rcuTortureRead, rcuTortureWrite } from '#sync/rcu-torture';
import { COUNTER, count } from '#trace/counters';
import { EVENT, recordEvent } from '#trace/ring';
import type { Machine } from './bind.ts';
import { choosePages, type PageRange, shareOf } from './extent.ts';
import { type Ownership, ownershipOf, touchEvery, touchOne } from './touch.ts';
import { UserMemory } from './user-memory.ts';
import { zapBegins, zapEnds } from './zap-log.ts';

/** A range as mm takes it: (slot, index) pairs, half open. */
interface Span {
  startSlot: number;
  startIndex: number;
  endSlot: number;
  endIndex: number;
}

/** A CPU's private state while it runs its column. */
export class Task {
  readonly machine: Machine;
  readonly memory: UserMemory;
  readonly owned: Ownership;
  /** The running sweep's chunk, and the pages of the operation in hand. */
  readonly chunk: PageRange = { start: 0, end: 0 };
  readonly range: PageRange = { start: 0, end: 0 };
  readonly span: Span = { startSlot: 0, startIndex: 0, endSlot: 0, endIndex: 0 };
  /** Rounds of outermost loops that are left. */
  roundsLeft: number;

  constructor(cpu: Cpu, machine: Machine) {
    this.machine = machine;
    this.memory = new UserMemory(cpu);
    this.owned = ownershipOf(machine.plan, machine.regionStarts, cpu.id);
    this.roundsLeft = machine.plan.opsMax ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Runs `ops` in order; `depth` is 0 for the column itself. Ends early when the run is told to stop.
 */
export function runOps(cpu: Cpu, task: Task, ops: readonly Op[], depth: number): void {
  for (const op of ops) {
    if (peek(CONTROL.stop) !== 0) return;
    runOp(cpu, task, op, depth);
  }
}

/** Whether the run goes on; throws `Halted` once the machine has halted. */
export function goesOn(): boolean {
  if (peek(CONTROL.halt) !== 0) throw new Halted();
  return peek(CONTROL.stop) === 0;
}

/** Ends an operation: back to user space. */
export function operationEnd(cpu: Cpu, machine: Machine): void {
  rcuOperationEnd(cpu);
  if (hasHook(HOOK.userReturn)) boundProtocol().userReturn(cpu, machine.mm);
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

function runLeaf(cpu: Cpu, task: Task, op: Op): void {
  switch (op.op) {
    case 'touch':
      runTouch(cpu, task, op);
      break;
    case 'dontneed':
      runDontneed(cpu, task, op);
      break;
    case 'punch':
      runPunch(cpu, task, op);
      break;
    case 'mmap':
      runMmap(cpu, task, op.region);
      break;
    case 'munmap':
      runMunmap(cpu, task, op);
      break;
    case 'scan':
      runScan(cpu, task);
      break;
    case 'sleep':
      runSleep(cpu, task, op.ms);
      break;
    case 'rcutorture':
      if (op.role === 'reader') rcuTortureRead(cpu);
      else rcuTortureWrite(cpu);
      break;
    case 'locktorture':
      lockTorture(cpu, tortured(op.lock));
      break;
  }
}

function runTouch(cpu: Cpu, task: Task, op: Op & { op: 'touch' }): void {
  const { machine, memory, owned, range } = task;
  const write = op.access === 'write';
  count(cpu, COUNTER.opTouch, 1);
  choosePages(cpu, machine.plan, machine.regionStarts, op, task.chunk, range);
  recordEvent(cpu, EVENT.operation, op.region, range.end - range.start);
  const { start, end } = range;
  if (start >= end) return;
  if (op.pages === 'every') {
    touchEvery(cpu, machine.mm, memory, owned, op.region, start, end, write);
  } else if (op.pages === 'one-per-slot') {
    const ptrs = ptrsMask() + 1;
    for (let page = start; page < end && goesOn(); page += ptrs)
      touchOne(cpu, machine.mm, memory, owned, op.region, page, write);
  } else {
    for (let i = 0; i < op.pages; i++) {
      const page = start + cpu.prng.below(end - start);
      touchOne(cpu, machine.mm, memory, owned, op.region, page, write);
    }
  }
}

function runDontneed(cpu: Cpu, task: Task, op: Op & { op: 'dontneed' }): void {
  const { machine, range } = task;
  choosePages(cpu, machine.plan, machine.regionStarts, op, task.chunk, range);
  recordEvent(cpu, EVENT.operation, op.region, range.end - range.start);
  dontneedPages(cpu, task, range.start, range.end);
  count(cpu, COUNTER.opDontneed, 1);
}

function dontneedPages(cpu: Cpu, task: Task, start: number, end: number): void {
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  madviseDontneed(cpu, task.machine.mm, startSlot, startIndex, endSlot, endIndex);
  zapEnds(cpu);
}

function runPunch(cpu: Cpu, task: Task, op: Op & { op: 'punch' }): void {
  const { machine, range } = task;
  choosePages(cpu, machine.plan, machine.regionStarts, op, task.chunk, range);
  const { start, end } = range;
  for (let page = start; page < end && goesOn(); page++) {
    if (cpu.prng.below(100) >= op.percent) continue;
    dontneedPages(cpu, task, page, page + 1);
    rcuOperationEnd(cpu);
  }
  count(cpu, COUNTER.opPunch, 1);
}

function runMmap(cpu: Cpu, task: Task, index: number): void {
  const { plan, mm, regionStarts } = task.machine;
  const region = plan.regions[index]!;
  const start = regionStarts[index]!;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, start + region.pages);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  mmapRegion(cpu, mm, startSlot, startIndex, endSlot, endIndex, vmaFlags(region.flags));
  zapEnds(cpu);
  count(cpu, COUNTER.opMmap, 1);
}

function runMunmap(cpu: Cpu, task: Task, op: Op & { op: 'munmap' }): void {
  const { machine, range } = task;
  choosePages(cpu, machine.plan, machine.regionStarts, op, task.chunk, range);
  if (range.start >= range.end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, range.start, range.end);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  munmap(cpu, machine.mm, startSlot, startIndex, endSlot, endIndex);
  zapEnds(cpu);
  count(cpu, COUNTER.opMunmap, 1);
}

function runScan(cpu: Cpu, task: Task): void {
  if (!hasHook(HOOK.scan)) return;
  boundProtocol().scan(cpu, task.machine.mm, peek(CONTROL.scanSlots));
  count(cpu, COUNTER.opScan, 1);
}

/** Idle, in lazy TLB mode: hardware may walk on its own whenever it likes. */
function runSleep(cpu: Cpu, task: Task, ms: number): void {
  const until = (nowMs() + ms) | 0;
  const idle = rcuIdleEnter(cpu);
  enterLazyTlb(cpu);
  while (sleepUntil(cpu, until)) {
    interruptPoint(cpu);
    speculativeWalk(cpu, task.machine.mm);
  }
  speculativeWalk(cpu, task.machine.mm);
  enterMm(cpu);
  if (idle) rcuIdleExit(cpu);
}

/** The pages [start, end) as (slot, index) pairs, in the task's own record. */
function spanOf(task: Task, start: number, end: number): Span {
  const { span } = task;
  const ptrs = ptrsMask() + 1;
  span.startSlot = Math.floor(start / ptrs) | 0;
  span.startIndex = (start - span.startSlot * ptrs) | 0;
  span.endSlot = Math.floor(end / ptrs) | 0;
  span.endIndex = (end - span.endSlot * ptrs) | 0;
  return span;
}

function vmaFlags(flags: readonly VmaFlag[]): number {
  let mask = 0;
  if (flags.includes('hugetlb')) mask |= VMA_FLAG.hugetlb;
  if (flags.includes('hugepage')) mask |= VMA_FLAG.hugepage;
  if (flags.includes('uffd-wp')) mask |= VMA_FLAG.uffdWp;
  return mask;
}

function tortured(lock: TorturedLock): number {
  return lock === 'vma-lock' ? TORTURED.vmaLock : TORTURED[lock];
}
