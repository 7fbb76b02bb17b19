/**
 * Systematic search with dynamic partial-order reduction: Abdulla, Aronis, Jonsson, Sagonas,
 * "Optimal Dynamic Partial Order Reduction", POPL 2014; their source sets with sleep sets.
 *
 * Executions that differ only in the order of steps that do not conflict are the same trace. Of
 * each trace one execution is completed. The search is depth first. At each place it keeps the set
 * of CPUs to be tried there (`wanted`); every race of an execution puts one into the set of the
 * place before its first step. A CPU that has been tried goes to sleep below that place, until a
 * step is taken that conflicts with its own: what begins with it has been seen. Where all enabled
 * CPUs sleep, the execution is abandoned.
 *
 * Of a sleeping CPU only the gated word of its next step would be known, so all words are kept that
 * the step touched when it was taken. As long as nothing conflicts with them it would do the same.
 * The step that wakes it may change what it does. So what would have raced with a sleeper's step is
 * looked for where it wakes, too: the race that follows there may be another one, or none.
 *
 * Choice points branch where they stand, within the step of their CPU, all alternatives in turn. A
 * CPU that has been tried sleeps with the words of all of them, so it may wake for the sake of one,
 * and then repeats the others.
 */
import { GATE } from '#arena/gate';
import { STEP } from '#arena/layout/history';
import type { History } from '../history.ts';
import {
  ABANDON,
  lowestOf,
  NO_PASSAGE,
  type Standing,
  type Strategy,
  sizeOf,
  stay,
} from '../strategy.ts';
import { larger, Path } from './dpor-path.ts';
import { Races } from './dpor-races.ts';
import { Sleep } from './dpor-sleep.ts';

/**
 * A place before a step: CPUs to be tried, tried, asleep on arrival; and the memory then in use.
 */
const PLACE = { wanted: 0, tried: 1, asleep: 2, memory: 3 } as const;
const PLACE_WORDS = 4;
/** A choice: of how many alternatives, which, and how many steps had begun. */
const CHOICE = { alternatives: 0, chosen: 1, steps: 2 } as const;
const CHOICE_WORDS = 3;

export class DporStrategy implements Strategy {
  /** Executions that were completed: as many as traces, or more where there are choice points. */
  explored = 0;
  /** Executions that were given up, since they would have become one of those. */
  abandoned = 0;
  private standing: Standing | null = null;
  private cpus = 0;
  private path!: Path;
  private races!: Races;
  private sleep!: Sleep;
  private places = new Int32Array(128 * PLACE_WORDS);
  private choices = new Int32Array(16 * CHOICE_WORDS);
  private choiceCount = 0;
  /** How many steps and choices of this execution are those of the one before; and are done. */
  private sharedSteps = 0;
  private steps = 0;
  private chosen = 0;
  /** The CPU to be tried next, where steps cease to be shared. */
  private branch = -1;
  /**
   * Where this execution was given up: which CPUs could have gone on, all asleep. 0: it was not.
   */
  private gaveUp = 0;
  /** The steps of this execution that woke a CPU. */
  private waking = new Int32Array(128);
  private isExhausted = false;

  /** Told of quiet accesses while the strategy decides. */
  get watch(): Path {
    return this.path;
  }

  begin(execution: number, cpus: number, standing: Standing): boolean {
    this.steps = 0;
    this.chosen = 0;
    this.gaveUp = 0;
    if (execution !== 0 && standing === this.standing) return this.goBack();
    this.standing = standing;
    this.cpus = cpus;
    this.path = new Path(standing);
    this.races = new Races(this.path, cpus, this);
    this.sleep = new Sleep(this.path, cpus);
    this.explored = 0;
    this.abandoned = 0;
    this.isExhausted = false;
    this.choiceCount = 0;
    this.sharedSteps = 0;
    this.branch = -1;
    return true;
  }

  pick(enabled: number, running: number): number {
    const { path } = this;
    const step = this.steps;
    if (step < this.sharedSteps) {
      this.steps++;
      return path.cpu(step);
    }
    if (this.branch >= 0) return this.take(this.branch, enabled);
    if (step > 0) path.finish(this.standing!.words[path.at(step - 1)]!);
    this.arrive(step);
    const awake = enabled & ~this.places[step * PLACE_WORDS + PLACE.asleep]!;
    if (awake === 0) {
      this.gaveUp = enabled;
      return ABANDON;
    }
    const cpu = stay(awake, running);
    this.places[step * PLACE_WORDS + PLACE.wanted] = 1 << cpu;
    this.sleep.keepNothing(step, cpu);
    return this.take(cpu, enabled);
  }

  choose(_cpu: number, alternatives: number): number {
    const { choices } = this;
    const at = this.chosen++ * CHOICE_WORDS;
    if (this.chosen <= this.choiceCount) return choices[at + CHOICE.chosen]!;
    this.choiceCount++;
    if (at === choices.length) this.choices = larger(choices);
    this.choices[at + CHOICE.alternatives] = alternatives;
    this.choices[at + CHOICE.chosen] = 0;
    this.choices[at + CHOICE.steps] = this.steps;
    return 0;
  }

  end(history: History): void {
    const { path, races, gaveUp } = this;
    if (path.steps > 0 && gaveUp === 0) path.finish(history.step(path.steps - 1, STEP.left));
    races.find(this.sharedSteps);
    this.findWoken(this.sharedSteps);
    if (gaveUp === 0) this.explored++;
    else this.abandoned++;
    if (history.steps === path.steps) this.findPending();
  }

  /**
   * A step of CPU `first`'s place races with a later one: one of `initials` must be tried there.
   */
  race(first: number, initials: number, second: number): void {
    const { places, path } = this;
    const at = first * PLACE_WORDS;
    if ((initials & (places[at + PLACE.wanted]! | places[at + PLACE.asleep]!)) !== 0) return;
    const able = initials & path.enabled(first);
    if (able === 0) return;
    const own = able & (1 << path.cpu(second));
    places[at + PLACE.wanted] = places[at + PLACE.wanted]! | (own !== 0 ? own : able & -able);
  }

  /**
   * An estimate of the part of the search that is done, 0 to 1: as if all that is to be tried at a
   * place were equally large, and nothing were to be added. It may go back.
   */
  progress(): number {
    if (this.isExhausted) return 1;
    const { places, choices, path } = this;
    let done = 0;
    let part = 1;
    let choice = 0;
    for (let step = -1; step < path.steps; step++) {
      if (step >= 0) {
        const at = step * PLACE_WORDS;
        const asleep = places[at + PLACE.asleep]!;
        const wanted = sizeOf(places[at + PLACE.wanted]! & ~asleep);
        done += (part * sizeOf(places[at + PLACE.tried]! & ~asleep)) / wanted;
        part /= wanted;
      }
      for (; choice < this.choiceCount; choice++) {
        const at = choice * CHOICE_WORDS;
        if (choices[at + CHOICE.steps] !== step + 1) break;
        done += (part * choices[at + CHOICE.chosen]!) / choices[at + CHOICE.alternatives]!;
        part /= choices[at + CHOICE.alternatives]!;
      }
    }
    return done;
  }

  private take(cpu: number, enabled: number): number {
    this.branch = -1;
    this.steps++;
    this.path.begin(cpu, enabled);
    return cpu;
  }

  /** Comes to a new place: who sleeps there. */
  private arrive(step: number): void {
    const at = step * PLACE_WORDS;
    if (at === this.places.length) this.places = larger(this.places);
    this.sleep.reserve(step);
    const { places } = this;
    places[at + PLACE.wanted] = 0;
    places[at + PLACE.tried] = 0;
    places[at + PLACE.memory] = this.sleep.count;
    places[at + PLACE.asleep] = step === 0 ? 0 : this.stillAsleep(step);
  }

  /** Of those asleep before the latest step, whom it has not woken. */
  private stillAsleep(step: number): number {
    const { places, path, sleep } = this;
    const before = (step - 1) * PLACE_WORDS;
    const here = 1 << path.cpu(step - 1);
    const sleepers = (places[before + PLACE.asleep]! | places[before + PLACE.tried]!) & ~here;
    if (sleepers === 0) return 0;
    sleep.lookAt(step - 1);
    let asleep = 0;
    for (let rest = sleepers; rest !== 0; rest &= rest - 1) {
      const cpu = lowestOf(rest);
      if (sleep.conflicts(step - 1, cpu)) continue;
      asleep |= 1 << cpu;
      sleep.sleepOn(step, cpu);
    }
    return asleep;
  }

  /**
   * Finds what would have raced with what a sleeper did, had it not been woken: step `from` or a
   * later one that could have come before the sleeper's, and both before the step that woke it.
   * Where the sleeper was tried, that order may have been left to what has led to here; and here
   * the sleeper, once woken, may do something else that races with no such step.
   */
  private findWoken(from: number): void {
    const { path, races, sleep } = this;
    const count = this.findWaking();
    if (count === 0) return;
    const { waking } = this;
    for (let step = from; step < path.steps; step++) {
      sleep.lookAt(step);
      for (let i = 0; i < count && waking[i]! < step; i++) {
        const first = waking[i]!;
        if (!races.happensBefore(first, step) && this.wouldConflict(first)) races.tell(first, step);
      }
    }
  }

  /** Collects the steps that woke a CPU, but for the last, which no step follows. */
  private findWaking(): number {
    const { path } = this;
    let count = 0;
    for (let step = 0; step < path.steps - 1; step++) {
      if (this.wokenBy(step) === 0) continue;
      if (count === this.waking.length) this.waking = larger(this.waking);
      this.waking[count++] = step;
    }
    return count;
  }

  /** Which CPUs slept until step `step`. */
  private wokenBy(step: number): number {
    const at = step * PLACE_WORDS + PLACE.asleep;
    return this.places[at]! & ~this.places[at + PLACE_WORDS]!;
  }

  /** Whether a CPU that step `waking` woke would have conflicted with the step looked at. */
  private wouldConflict(waking: number): boolean {
    for (let rest = this.wokenBy(waking); rest !== 0; rest &= rest - 1)
      if (this.sleep.conflicts(waking, lowestOf(rest))) return true;
    return false;
  }

  /** Goes back to the latest place where something is left to try. False: nothing is. */
  private goBack(): boolean {
    const { path, places, sleep } = this;
    for (let step = path.steps - 1; step >= 0; step--) {
      const at = step * PLACE_WORDS;
      const cpu = path.cpu(step);
      sleep.count = places[at + PLACE.memory]!;
      sleep.keep(step, cpu);
      places[at + PLACE.memory] = sleep.count;
      if (this.chooseNext(step + 1)) return this.branchAt(step, cpu);
      places[at + PLACE.tried] = places[at + PLACE.tried]! | (1 << cpu);
      const left =
        places[at + PLACE.wanted]! & ~places[at + PLACE.tried]! & ~places[at + PLACE.asleep]!;
      if (left === 0) continue;
      const next = lowestOf(left);
      sleep.keepNothing(step, next);
      return this.branchAt(step, next);
    }
    path.truncate(0);
    if (!this.chooseNext(0)) {
      this.isExhausted = true;
      return false;
    }
    sleep.count = 0;
    this.sharedSteps = 0;
    this.branch = -1;
    return true;
  }

  private branchAt(step: number, cpu: number): boolean {
    this.path.truncate(step);
    this.sharedSteps = step;
    this.branch = cpu;
    return true;
  }

  /** Chooses the next alternative at the latest choice point that `steps` steps precede. */
  private chooseNext(steps: number): boolean {
    const { choices } = this;
    for (; this.choiceCount > 0; this.choiceCount--) {
      const at = (this.choiceCount - 1) * CHOICE_WORDS;
      if (choices[at + CHOICE.steps] !== steps) return false;
      const next = choices[at + CHOICE.chosen]! + 1;
      if (next === choices[at + CHOICE.alternatives]) continue;
      choices[at + CHOICE.chosen] = next;
      return true;
    }
    return false;
  }

  /**
   * The races of steps that CPUs stand for and cannot take, or have not come to. Those of CPUs that
   * sleep have been found where they were tried.
   */
  private findPending(): void {
    const { standing, races } = this;
    const { op, at, words } = standing!;
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const kind = op[cpu]!;
      if (kind === NO_PASSAGE || (this.gaveUp & (1 << cpu)) !== 0) continue;
      const found = words[at[cpu]!]!;
      const isRead = kind === GATE.load || kind === GATE.read || kind === GATE.wait;
      races.findPending(cpu, isRead ? found : found + 1);
    }
  }
}
