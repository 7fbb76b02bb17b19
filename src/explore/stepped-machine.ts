/**
 * The stepped machine: all CPUs of a plan on this thread, one step at a time, under a strategy.
 *
 * At a passage the coroutine says what it is about to do, and the machine decides at once who goes
 * on. If that is the same CPU, the coroutine does not even yield. Otherwise its step is taken, and
 * recorded, when it is its turn again; until then the access has not happened. A CPU that waits for
 * a word to change is not enabled while the word stays the same.
 *
 * Three stretches are not the strategy's: boot with the setup operations, when CPU 0 is alone; the
 * fair phase, in which CPUs take turns; and the end of the process, CPU 0 alone again.
 */
import type { CpuRef, Gate } from '#arena/gate';
import type { ArenaMap, Geometry } from '#arena/map';
import type { Words } from '#arena/word';
import type { Evidence } from '#oracles/evidence';
import { judge } from '#oracles/judges';
import type { Verdict } from '#oracles/verdict';
import type { Plan } from '#scenario/plan';
import type { Machine } from '#tasks/bind';
import { lockClassesWith } from '#trace/vocabulary';
import { judgeDeadlock, type Wait } from './deadlock.ts';
import { type Execution, type ExecutionEnd, History } from './execution.ts';
import type { Coroutine, SteppedTree } from './stepped-tree.ts';
import type { Strategy } from './strategy.ts';

/** Steps after which an execution is cut off. */
const STEPS_MAX = 100_000;
/** Steps that a CPU takes in the fair phase before it is another's turn. */
const FAIR_TURN_STEPS = 64;
const NOBODY = -1;
/** Of a coroutine that has not started, or has ended. */
const NO_PASSAGE = -1;

/** CPU 0 is alone; each CPU stops at its first passage; the strategy decides. */
type Mode = 'alone' | 'starting' | 'free';

export class SteppedMachine implements Gate {
  readonly map: ArenaMap;
  readonly words: Words;
  private readonly tree: SteppedTree;
  private readonly plan: Plan;
  private readonly blank: Int32Array<ArrayBuffer>;
  private readonly history: History;
  private readonly phaseAt: number;
  private readonly phaseFair: number;
  private readonly gateWait: number;
  /** The passage at which each CPU stands: kind, word, and the value it waits to see changed. */
  private readonly op: Int32Array;
  private readonly at: Int32Array;
  private readonly seen: Int32Array;
  private readonly enabled: number[] = [];
  private mode: Mode = 'alone';
  private strategy: Strategy | null = null;
  private turnSteps = 0;
  /** Who takes the next step. */
  private next = NOBODY;

  constructor(tree: SteppedTree, plan: Plan, geometry: Geometry, stepsMax = STEPS_MAX) {
    this.tree = tree;
    this.plan = plan;
    this.map = tree.map.arenaMap(geometry);
    this.words = new Int32Array(new SharedArrayBuffer(4 * this.map.sizeWords));
    this.blank = tree.image.saveImage(this.words);
    this.history = new History(stepsMax);
    this.phaseAt = tree.control.CONTROL.phase;
    this.phaseFair = tree.control.PHASE.fair;
    this.gateWait = tree.gate.GATE.wait;
    this.op = new Int32Array(plan.cpus);
    this.at = new Int32Array(plan.cpus);
    this.seen = new Int32Array(plan.cpus);
  }

  /** Runs the plan from the beginning, as the strategy has it for execution number `execution`. */
  execute(strategy: Strategy, execution: number): Execution {
    const { tree, plan, history } = this;
    tree.image.restoreImage(this.words, this.blank);
    const machine = tree.bind.bindMachine(this.words.buffer, this.map.geometry, plan, 0);
    tree.clock.setClock(() => history.steps);
    tree.gate.setGate(this);
    this.strategy = strategy;
    strategy.begin(execution, plan.cpus);
    history.steps = 0;
    this.turnSteps = 0;
    this.op.fill(NO_PASSAGE);
    try {
      const { end, verdicts } = this.live(machine);
      return { end, steps: history.steps, history: history.copy(), verdicts };
    } finally {
      tree.gate.setGate(null);
      tree.clock.setClock(null);
    }
  }

  /** The gate of the tree: asked by the running CPU before each of its steps. */
  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    const { id } = cpu;
    this.op[id] = op;
    this.at[id] = at;
    this.seen[id] = seen;
    this.next = this.whoIsNext(id);
    if (this.next !== id) return true;
    this.takeStep(id);
    return false;
  }

  private live(machine: Machine): { end: ExecutionEnd; verdicts: Verdict[] } {
    const { bind, main } = this.tree;
    const cpus = this.plan.columns.map((_, id) => bind.makeCpu(id, this.plan.seed));
    const end = this.runAll(cpus.map((cpu) => main.cpuMain(cpu, machine)));
    if (end !== 'done') return { end, verdicts: this.judgeBroken(end) };
    const verdicts = judge(this.evidence('fair'));
    if (verdicts.length > 0) return { end, verdicts };
    const exit = this.runAlone(main.cpuExit(cpus[0]!, machine));
    if (exit !== 'done') return { end: exit, verdicts: this.judgeBroken(exit) };
    return { end, verdicts: judge(this.evidence('exit')) };
  }

  /** Boot, then all CPUs to their ends. */
  private runAll(coroutines: readonly Coroutine[]): ExecutionEnd {
    const booted = this.runAlone(coroutines[0]!);
    // CPU 0 stands at the rendezvous, where it waits for the others.
    if (booted !== 'deadlock') return booted;
    this.mode = 'starting';
    for (const coroutine of coroutines.slice(1)) coroutine.next();
    this.mode = 'free';
    let living = coroutines.length;
    this.next = this.whoIsNext(0);
    while (this.next !== NOBODY) {
      const cpu = this.next;
      this.takeStep(cpu);
      const { done, value } = coroutines[cpu]!.next();
      if (!done) continue;
      if (value === 'halted') return 'halted';
      this.op[cpu] = NO_PASSAGE;
      if (--living === 0) return 'done';
      this.next = this.whoIsNext(cpu);
    }
    return this.history.isFull ? 'steps' : 'deadlock';
  }

  /** Runs CPU 0 alone to its end, or until it waits for others (`deadlock`). */
  private runAlone(coroutine: Coroutine): ExecutionEnd {
    this.mode = 'alone';
    const { done, value } = coroutine.next();
    if (!done) return this.history.isFull ? 'steps' : 'deadlock';
    this.op[0] = NO_PASSAGE;
    return value;
  }

  /** After a passage of `running`, or its end: who takes the next step. */
  private whoIsNext(running: number): number {
    const { enabled, history, mode } = this;
    if (history.isFull || mode === 'starting') return NOBODY;
    if (mode === 'alone') return this.isEnabled(running) ? running : NOBODY;
    let count = 0;
    for (let id = 0; id < this.op.length; id++) if (this.isEnabled(id)) enabled[count++] = id;
    while (enabled.length > count) enabled.pop();
    if (count <= 1) return enabled[0] ?? NOBODY;
    if (this.words[this.phaseAt]! >= this.phaseFair) return this.whoseTurn(running);
    return this.strategy!.pick(enabled, running);
  }

  private isEnabled(id: number): boolean {
    const op = this.op[id]!;
    if (op === this.gateWait)
      return this.words[this.at[id]!] !== this.seen[id] || this.isInterrupted(id);
    return op !== NO_PASSAGE;
  }

  /** A CPU that waits is enabled by an interrupt, which it serves and then waits on. */
  private isInterrupted(id: number): boolean {
    const block = this.map.percpu + id * this.map.percpuWords;
    const { ipiWanted, ipiServed } = this.tree.percpu.PERCPU;
    return this.words[block + ipiWanted] !== this.words[block + ipiServed];
  }

  /** Fair: one after the other, for a number of steps each. */
  private whoseTurn(running: number): number {
    if (this.turnSteps++ < FAIR_TURN_STEPS && this.isEnabled(running)) return running;
    this.turnSteps = 0;
    return this.enabled.find((id) => id > running) ?? this.enabled[0]!;
  }

  private takeStep(id: number): void {
    const at = this.at[id]!;
    this.history.add(id, this.op[id]!, at, this.words[at]!);
  }

  private judgeBroken(end: ExecutionEnd): Verdict[] {
    if (end === 'halted') return judge(this.evidence('halted'));
    if (end === 'steps') return judge(this.evidence('stopped'));
    return judgeDeadlock(this.evidence('stopped'), this.waits(), this.tree.percpu.PERCPU);
  }

  private waits(): Wait[] {
    const waits: Wait[] = [];
    for (const [cpu, op] of this.op.entries())
      if (op === this.gateWait) waits.push({ cpu, at: this.at[cpu]!, seen: this.seen[cpu]! });
    return waits;
  }

  private evidence(moment: Evidence['moment']): Evidence {
    const { words, map, plan } = this;
    const ticketClasses = lockClassesWith(plan.locks, 'ticket');
    return { words, map, splitLocks: plan.splitLocks, ticketClasses, moment };
  }
}
