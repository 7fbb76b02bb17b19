/**
 * The abstract form of RCU, for exploration: no epoch, and no steps at quiescent states while
 * nobody wants a grace period. Requests are numbered; each CPU says up to which request it has been
 * quiescent since.
 *
 * The argument. `asked` is the number of the latest request; each CPU has a word `answered`.
 *  1. A CPU's word is `OFFLINE` (it holds no reference), or a number n that `asked` had reached at
 *     a quiescent state of this CPU: all that it holds, it has found after request n.
 *  2. A thing is unhooked, then a request is made: e.
 *  3. A CPU whose word is found `OFFLINE` after that, or at least e, does not hold the thing and
 *     will not find it. Offline, it looks for things only once it has come online, after (2). With
 *     n of at least e, it has looked only after request n by (1), and so after (2).
 *  4. Once found so, it stays so: numbers only rise, and who comes online stores the present one.
 * Hence the CPUs may be looked at one after the other, in any order, each until it is found so;
 * then the thing may be freed.
 *
 * What a quiescent state costs, and why that is sound:
 *  5. A CPU that is quiescent looks at `asked` quietly, and stores (a step) only if there is a
 *     request that it has not answered. If it sees a request too late, its word stays behind, and
 *     by (3) it is waited for. It looks again at its next quiescent state, and leaves with a step
 *     in any case, so nobody waits for ever for a CPU that goes on. So whatever it sees, no grace
 *     period is too short, and none is endless.
 *  6. Conclusions are drawn from gated loads of other CPUs' words only, and these words are changed
 *     by gated stores only. So the order of an answer and of the load that needs it is an order of
 *     steps.
 *  7. The quiet look belongs to the step before it; to make a request is a step of its own. A
 *     search that counts the quiet accesses of a step as its own (QuietWatch) tries both orders of
 *     a look and a request, and with (6) leaves no grace period out. One that does not may leave
 *     out that a CPU answers at this quiescent state and not at its next. Grace periods then end
 *     later than they could, which hides only what is wrong with a thing that can be found after
 *     its request was made.
 */

import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { add, load, peek, poke, storeAndWake } from '#arena/word';

/** A CPU's word while it holds no reference. Requests are numbered from 2 on. */
const OFFLINE = 0;
/** As if somebody had made a request before all others, for CPUs that come online first. */
const FIRST = 1;

/** Boot: nobody has asked, and all CPUs are offline. */
export function abstractInitialize(): void {
  poke(CONTROL.rcuAsked, FIRST);
}

/** Makes a request for a grace period; its number. */
export function abstractRequest(cpu: Cpu): number {
  return (add(cpu, CONTROL.rcuAsked, 1) + 1) | 0;
}

/** Whether there is a request that this CPU, being online, has not answered. */
export function abstractIsAsked(cpu: Cpu): boolean {
  const answered = peek(cpu.block + PERCPU.rcuAnswered);
  return answered !== OFFLINE && answered !== peek(CONTROL.rcuAsked);
}

/** A quiescent state, or the end of being offline: answers all requests so far. */
export function abstractAnswer(cpu: Cpu): void {
  storeAndWake(cpu, cpu.block + PERCPU.rcuAnswered, peek(CONTROL.rcuAsked)); // @rcu-answer
}

/** This CPU holds no reference until it answers again. */
export function abstractLeave(cpu: Cpu): void {
  storeAndWake(cpu, cpu.block + PERCPU.rcuAnswered, OFFLINE);
}

/**
 * Whether the grace period of request `end` is over: a step for each other CPU, up to the first
 * that has not answered; none if this CPU knows of a later one that is over.
 */
export function abstractIsOver(cpu: Cpu, end: number): boolean {
  if (isReached(peek(cpu.block + PERCPU.rcuOver), end)) return true;
  let over = peek(CONTROL.rcuAsked);
  for (let id = 0; id < boundMap().geometry.cpus; id++) {
    const answered = answerOf(cpu, id);
    if (answered !== OFFLINE && !isReached(answered, over)) over = answered;
    if (!isReached(over, end)) return false; // @rcu-wait-for-answer
  }
  poke(cpu.block + PERCPU.rcuOver, over);
  return true;
}

/**
 * Waits until the grace period of request `end` is over; returns whether it was not yet. This CPU
 * is offline.
 */
export function abstractAwait(cpu: Cpu, end: number): boolean {
  let waited = false;
  for (let id = 0; id < boundMap().geometry.cpus; id++) {
    for (;;) {
      const answered = answerOf(cpu, id);
      if (answered === OFFLINE || isReached(answered, end)) break;
      waited = true;
      waitUntilChanged(cpu, wordOf(id), answered);
    }
  }
  if (!isReached(peek(cpu.block + PERCPU.rcuOver), end)) poke(cpu.block + PERCPU.rcuOver, end);
  return waited;
}

/** The word of CPU `id`. To look at its own, a CPU needs no step. */
function answerOf(cpu: Cpu, id: number): number {
  return id === cpu.id ? peek(wordOf(id)) : load(cpu, wordOf(id));
}

function wordOf(id: number): number {
  const { percpu, percpuWords } = boundMap();
  return percpu + id * percpuWords + PERCPU.rcuAnswered;
}

/** Whether the number `reached` is `end` or a later one. */
function isReached(reached: number, end: number): boolean {
  return ((reached - end) | 0) >= 0;
}
