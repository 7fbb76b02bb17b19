/**
 * The stepped machine: all CPUs of a plan on this thread. Boot with the setup operations is CPU 0
 * alone; then each CPU runs its column, one step at a time, as the strategy has it; then comes the
 * fair phase, in which they take turns; and the end of the process, CPU 0 alone again.
 */

import type { Cpu } from '#arch/cpu';
import { GATE } from '#arena/gate';
import type { ArenaMap, Geometry } from '#arena/map';
import type { Words } from '#arena/word';
import { evidenceOf, type Wait } from '#machine/judges';
import type { Evidence } from '#oracles/evidence';
import { judge } from '#oracles/judges';
import { tellLivelock } from '#oracles/livelock';
import type { Verdict } from '#oracles/verdict';
import type { Plan } from '#scenario/plan';
import type { Machine } from '#tasks/bind';
import type { Task } from '#tasks/task';
import { AloneGate } from './alone.ts';
import { BootImage } from './boot-image.ts';
import { judgeDeadlock } from './deadlock.ts';
import type { Execution, ExecutionEnd, Subject } from './execution.ts';
import { type Stretches, stateFingerprint, stateStretches } from './final-state.ts';
import { History } from './history.ts';
import { outcomesOf } from './outcomes.ts';
import type { SteppedTree } from './stepped-tree.ts';
import { Stepper } from './stepper.ts';
import { ignoredWords } from './strategies/dependence.ts';
import type { Strategy } from './strategy.ts';

/** Steps after which an execution is cut off. */
const STEPS_MAX = { fair: 100_000, fifo: 4_000 } as const;

/** Final states that are remembered at most. */
const STATES_MAX = 1_000_000;

interface Ending {
  readonly end: ExecutionEnd;
  readonly verdicts: readonly Verdict[];
}

const INNOCENT: Ending = { end: 'done', verdicts: [] };

export class SteppedMachine implements Subject {
  readonly cpus: number;
  readonly map: ArenaMap;
  readonly words: Words;
  readonly tree: SteppedTree;
  readonly plan: Plan;
  private readonly history: History;
  private readonly stepper: Stepper;
  private readonly alone: AloneGate;
  private readonly stretches: Stretches;
  /** Fingerprints of final states from which all went well. */
  private readonly innocent = new Set<number>();
  private machine: Machine | null = null;
  private cpuList: Cpu[] = [];
  private tasks: Task[] = [];
  private booted: BootImage | null = null;
  private bootEnd: ExecutionEnd = 'done';
  private bootClock = 0;
  private outcomes = 0;
  private operationsAtLimit = -1;

  constructor(
    tree: SteppedTree,
    plan: Plan,
    geometry: Geometry,
    stepsMax: number = STEPS_MAX[plan.scheduler],
  ) {
    this.tree = tree;
    this.plan = plan;
    this.cpus = plan.cpus;
    this.map = tree.map.arenaMap(geometry);
    this.words = new Int32Array(new SharedArrayBuffer(4 * this.map.sizeWords));
    this.history = new History(stepsMax);
    const { ipiWanted, ipiServed, operation, heldCount } = tree.percpu.PERCPU;
    const blocks = Int32Array.from(plan.columns, (_, id) => this.blockOf(id));
    const held = Array.from(blocks, (block) => block + heldCount);
    const rank = { operations: this.blockOf(0) + operation, held };
    this.stepper = new Stepper(
      this.words,
      plan.cpus,
      this.history,
      {
        ...{ blocks, wanted: ipiWanted, served: ipiServed },
      },
      () => {
        this.operationsAtLimit = this.operations();
      },
      ignoredWords(this.map),
      plan.scheduler === 'fifo' ? rank : null,
    );
    this.stretches = stateStretches(this.map, tree.control.CONTROL, tree.percpu.PERCPU);
    this.alone = new AloneGate(this.words, STEPS_MAX.fair);
  }

  /** Runs the plan from the end of boot, as the strategy has it for execution `execution`. */
  execute(strategy: Strategy, execution: number): Execution {
    const { tree, history, stepper, alone } = this;
    this.outcomes = 0;
    this.operationsAtLimit = -1;
    history.clear();
    if (!strategy.begin(execution, this.cpus, stepper.standing))
      return { end: 'exhausted', verdicts: [], outcomes: 0, history };
    stepper.clock = 0;
    tree.clock.setClock(() => stepper.clock + alone.clock);
    try {
      const life = this.live(strategy);
      strategy.end?.(history);
      return { ...life, history, outcomes: this.outcomes };
    } finally {
      tree.gate.setGate(null);
      tree.gate.setQuietWatch(null);
      tree.clock.setClock(null);
    }
  }

  private live(strategy: Strategy): Ending {
    this.bind();
    if (this.booted === null) this.boot();
    else this.booted.restore();
    if (this.bootEnd !== 'done')
      return { end: this.bootEnd, verdicts: this.judgeBroken(this.bootEnd) };
    this.alone.clock = this.bootClock;
    const hostile = this.hostile(strategy);
    this.history.decided = this.stepper.decided;
    this.outcomes = outcomesOf(this.words, this.map);
    if (hostile === 'abandoned') return { end: hostile, verdicts: [] };
    if (hostile === 'steps') return this.endless();
    if (hostile !== 'done') return { end: hostile, verdicts: this.judgeBroken(hostile) };
    const state = stateFingerprint(this.words, this.stretches);
    if (this.innocent.has(state)) return INNOCENT;
    const ending = this.converge();
    if (ending.end === 'done' && ending.verdicts.length === 0 && this.innocent.size < STATES_MAX)
      this.innocent.add(state);
    return ending;
  }

  /** The first life begins with boot; the others from what it leaves. */
  private boot(): void {
    const { bind, main, task, percpu } = this.tree;
    this.words.fill(0);
    this.cpuList = this.plan.columns.map((_, id) => bind.makeCpu(id, this.plan.seed));
    this.tasks = this.cpuList.map((cpu) => new task.Task(cpu, this.machine!));
    this.alone.clock = 0;
    const [cpu] = this.cpuList;
    this.bootEnd = this.runAlone(main.cpuPart(cpu!, this.machine!, this.tasks[0]!, 'boot'));
    this.bootClock = this.alone.clock;
    if (this.bootEnd !== 'done') return;
    this.booted = new BootImage(this.words, this.map, percpu.PERCPU);
    for (const [id, each] of this.cpuList.entries()) this.booted.addPrivate(each, this.tasks[id]!);
  }

  private hostile(strategy: Strategy): ExecutionEnd {
    const { main, control } = this.tree;
    main.enterPhase(control.PHASE.main);
    this.tree.gate.setGate(this.stepper);
    const columns = this.cpuList.map((cpu, id) =>
      main.cpuPart(cpu, this.machine!, this.tasks[id]!, 'hostile'),
    );
    this.tree.gate.setQuietWatch(strategy.watch ?? null);
    const end = this.stepper.run(columns, strategy);
    // The oracles and the next phases are nobody's steps.
    this.tree.gate.setQuietWatch(null);
    return end;
  }

  /** The fair phase and the end of the process, each followed by an audit. */
  private converge(): Ending {
    const { main, control } = this.tree;
    main.enterPhase(control.PHASE.fair);
    const fair = this.cpuList.map((cpu, id) =>
      main.cpuPart(cpu, this.machine!, this.tasks[id]!, 'fair'),
    );
    const turns = this.stepper.run(fair, null);
    if (turns === 'steps') return this.endless();
    if (turns !== 'done') return { end: turns, verdicts: this.judgeBroken(turns) };
    main.enterPhase(control.PHASE.exit);
    const verdicts = judge(this.evidence('fair'));
    if (verdicts.length > 0) return { end: 'done', verdicts };
    const exit = this.runAlone(main.cpuExit(this.cpuList[0]!, this.machine!));
    if (exit !== 'done') return { end: exit, verdicts: this.judgeBroken(exit) };
    return { end: 'done', verdicts: judge(this.evidence('exit')) };
  }

  /** Binds the tree to this machine, unless the last to use the tree was this one. */
  private bind(): void {
    const { tree, plan } = this;
    if (tree.user === this) return;
    this.machine = tree.bind.bindMachine(this.words.buffer, this.map.geometry, plan, 0);
    for (const task of this.tasks) Object.assign(task, { machine: this.machine });
    tree.user = this;
  }

  private runAlone(coroutine: Parameters<AloneGate['run']>[0]): ExecutionEnd {
    this.tree.gate.setGate(this.alone);
    return this.alone.run(coroutine);
  }

  /**
   * Cut off at the limit of steps, the last of which were taken in turn: a livelock, unless an
   * operation has ended among those.
   */
  private endless(): Ending {
    const verdicts = this.judgeBroken('steps');
    if (verdicts.length > 0 || this.operations() !== this.operationsAtLimit)
      return { end: 'steps', verdicts };
    const stuck = tellLivelock(this.words, this.map, `${this.history.steps} steps`);
    return { end: 'livelock', verdicts: [stuck] };
  }

  /** Different final states that were found innocent. */
  get finalStates(): number {
    return this.innocent.size;
  }

  /** Operations that have ended, of all CPUs. */
  private operations(): number {
    let operations = 0;
    for (let id = 0; id < this.cpus; id++)
      operations += this.words[this.blockOf(id) + this.tree.percpu.PERCPU.operation]!;
    return operations;
  }

  private judgeBroken(end: ExecutionEnd): Verdict[] {
    if (end === 'halted') return judge(this.evidence('halted'));
    if (end === 'steps') return judge(this.evidence('stopped'));
    return judgeDeadlock(this.evidence('stopped'), this.waits(), this.tree.percpu.PERCPU);
  }

  private waits(): Wait[] {
    const waits: Wait[] = [];
    const { op, at, seen } = this.stepper.standing;
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      if (op[cpu] === GATE.acquire) waits.push({ cpu, at: at[cpu]!, seen: this.words[at[cpu]!]! });
      else if (op[cpu] === GATE.wait) waits.push({ cpu, at: at[cpu]!, seen: seen[cpu]! });
    }
    return waits;
  }

  private blockOf(id: number): number {
    return this.map.percpu + id * this.map.percpuWords;
  }

  private evidence(moment: Evidence['moment']): Evidence {
    return evidenceOf(this.plan, this.words, this.map, moment);
  }
}
