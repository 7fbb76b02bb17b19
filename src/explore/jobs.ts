/** What a searcher's thread is asked to do: search, shrink, or replay. Plain data in and out. */
import type { MessagePort } from 'node:worker_threads';
import { nowMs } from '#arena/clock';
import type { Interleaving } from '#result/interleaving';
import type { Plan } from '#scenario/plan';
import { narrate } from './diagram/narrate.ts';
import type { ExecutionEnd } from './execution.ts';
import { checkOf } from './replay-word.ts';
import { formatSchedule, parseSchedule, ReplayStrategy } from './schedule.ts';
import { type Figures, type Found, Search, type SearchOrder } from './search.ts';
import { signature } from './signature.ts';
import type { Reduction } from './smaller/reduction.ts';
import { shrink } from './smaller/shrink.ts';
import { geometryFor } from './smaller/small-geometry.ts';
import { SteppedMachine } from './stepped-machine.ts';
import { loadSteppedTree } from './stepped-tree.ts';

export interface SearchJob {
  readonly job: 'search';
  readonly order: SearchOrder;
  /** Progress goes out; anything that comes in ends the search. */
  readonly port: MessagePort;
}

export interface ShrinkJob {
  readonly job: 'shrink';
  readonly plan: Plan;
  readonly schedule: string;
  readonly kind: string;
  readonly forMs: number;
}

export interface ReplayJob {
  readonly job: 'replay';
  readonly plan: Plan;
  readonly schedule: string;
  /** How often; each must be like the first. */
  readonly times: number;
}

export type Job = (SearchJob | ShrinkJob | ReplayJob) & {
  /** URL of the stepped tree to run. */
  readonly tree: string;
};

export interface SearchProgress {
  readonly figures: Figures;
  readonly found: readonly Found[];
}

export interface SearchReply {
  readonly figures: Figures;
  /** All that was found, the first of each signature; what was told as progress is among it. */
  readonly found: readonly Found[];
  readonly isExhausted: boolean;
  readonly traces: Float64Array;
}

export interface ShrinkReply {
  readonly plan: Plan;
  readonly reduction: Reduction;
  readonly schedule: string;
  readonly preemptions: number;
  readonly minimal: boolean;
  readonly executions: number;
}

export interface ReplayReply {
  readonly end: ExecutionEnd;
  readonly verdicts: readonly { kind: string; message: string; cpus: readonly number[] }[];
  readonly signature: string;
  /** `STEP_WORDS` and `CHOICE_WORDS` words each; of the main phase. */
  readonly steps: Int32Array;
  readonly choices: Int32Array;
  readonly check: string;
  /** How many of the times were like the first. */
  readonly alike: number;
  readonly interleaving: Interleaving;
}

/** Between two looks at the port. */
const SLICE_MS = 50;
const EXECUTIONS_PER_LOOK = 20;

export async function runSearch({ order, port, tree }: SearchJob & Job): Promise<SearchReply> {
  let isStopped = false;
  port.on('message', () => {
    isStopped = true;
  });
  const search = new Search(await loadSteppedTree(new URL(tree)), order);
  const all = new Map<string, Found>();
  while (!search.isOver() && !isStopped) {
    const began = nowMs();
    const found: Found[] = [];
    while (found.length === 0 && !search.isOver() && ((nowMs() - began) | 0) < SLICE_MS)
      for (const each of search.go(EXECUTIONS_PER_LOOK)) {
        if (all.has(each.signature)) continue;
        all.set(each.signature, each);
        found.push(each);
      }
    port.postMessage({ figures: search.figures, found } satisfies SearchProgress);
    await new Promise((resolve) => setImmediate(resolve));
  }
  port.close();
  const { figures, isExhausted } = search;
  return { figures, isExhausted, found: [...all.values()], traces: search.traces() };
}

export async function runShrink(job: ShrinkJob & Job): Promise<ShrinkReply> {
  const tree = await loadSteppedTree(new URL(job.tree));
  const began = nowMs();
  const now = (): number => (nowMs() - began) | 0;
  const makeMachine = (plan: Plan): SteppedMachine =>
    new SteppedMachine(tree, plan, geometryFor(plan));
  const limits = { deadlineMs: job.forMs, now };
  const shrunk = shrink(makeMachine, job.plan, parseSchedule(job.schedule), job.kind, limits);
  const { plan, reduction, preemptions, minimal, executions } = shrunk;
  const schedule = formatSchedule(shrunk.schedule);
  return { plan, reduction, schedule, preemptions, minimal, executions };
}

export async function runReplay(job: ReplayJob & Job): Promise<ReplayReply> {
  const machine = new SteppedMachine(
    await loadSteppedTree(new URL(job.tree)),
    job.plan,
    geometryFor(job.plan),
  );
  const schedule = parseSchedule(job.schedule);
  const strategy = new ReplayStrategy(schedule);
  const { end, verdicts, history } = machine.execute(strategy, 0);
  const steps = history.copySteps();
  const choices = history.copyChoices();
  const check = checkOf(history);
  let alike = 1;
  for (let time = 1; time < job.times; time++) {
    const again = machine.execute(strategy, time);
    if (again.end === end && checkOf(again.history) === check) alike++;
  }
  return {
    ...{ end, steps, choices, check, alike },
    verdicts: verdicts.map(({ kind, message, cpus }) => ({ kind, message, cpus })),
    signature: signature(verdicts),
    interleaving: narrate(machine, schedule),
  };
}
