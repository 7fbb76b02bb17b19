/**
 * Replaying: carries a schedule out again, compares every step with what was recorded, and, where
 * that is wanted, enforces it on real threads.
 */

import { NO_STEP } from '#arena/enforced';
import { GATE_NAMES } from '#arena/gate';
import { STEP, STEP_WORDS } from '#arena/layout/history';
import { PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import {
  type Confirmation,
  type ConfirmJudges,
  confirmSchedule,
  type Passage,
} from '#machine/confirm';
import { judge } from '#oracles/judges';
import { tellLivelock } from '#oracles/livelock';
import { nameWord } from '#oracles/word-name';
import type { Interleaving } from '#result/interleaving';
import type { Plan } from '#scenario/plan';
import { judgeDeadlock } from './deadlock.ts';
import type { ReplayReply } from './jobs.ts';
import { Searchers } from './searchers.ts';
import { geometryFor } from './smaller/small-geometry.ts';
import { decidedMaxOf } from './stepper.ts';

export interface ReplayRequest {
  /** The small plan. */
  readonly plan: Plan;
  readonly edit: LineEdit | null;
  readonly schedule: string;
  /** What a replay word or a file says of the steps; null: nothing to compare with. */
  readonly check: string | null;
  readonly history: readonly number[] | null;
  readonly times: number;
  readonly onThreads: boolean;
}

export interface Replayed {
  readonly verdicts: readonly { kind: string; message: string }[];
  readonly steps: number;
  /** How many of the times were like the first. */
  readonly alike: number;
  readonly interleaving: Interleaving;
  /** The first difference from what was recorded, as a sentence; null: none. */
  readonly difference: string | null;
  /** What real threads made of it; null: they were not asked. */
  readonly threads: Threads | null;
}

export type Threads =
  | { readonly kind: 'same'; readonly verdicts: readonly { kind: string; message: string }[] }
  | { readonly kind: 'other'; readonly why: string };

export async function replay(request: ReplayRequest): Promise<Replayed> {
  const { plan, edit, schedule, times } = request;
  const roots = await treeRoots(edit);
  const searchers = new Searchers(1, roots.stepped.href);
  try {
    const reply = await searchers.replay({ plan, schedule, times });
    const difference = differenceOf(request, reply);
    return {
      verdicts: reply.verdicts,
      steps: reply.steps.length / STEP_WORDS,
      ...{ alike: reply.alike, interleaving: reply.interleaving, difference },
      threads: request.onThreads ? await onThreads(plan, reply, roots.plain) : null,
    };
  } finally {
    await searchers.close();
  }
}

function differenceOf(request: ReplayRequest, reply: ReplayReply): string | null {
  const { history, check } = request;
  if (history !== null) return firstDifference(request.plan, history, reply.steps);
  if (check === null || check === reply.check) return null;
  return (
    'replay diverged: the steps are not those of the word; it was made by another version of ' +
    'pttorture, or of the scenario'
  );
}

/** Compares CPU, kind of passage and word, step by step, and what the word held. */
function firstDifference(plan: Plan, history: readonly number[], steps: Int32Array): string | null {
  const fields = [STEP.cpu, STEP.op, STEP.at, STEP.found];
  const recorded = history.length / fields.length;
  const replayed = steps.length / STEP_WORDS;
  for (let step = 0; step < Math.max(recorded, replayed); step++) {
    const was =
      step < recorded ? history.slice(step * fields.length, (step + 1) * fields.length) : null;
    const is = step < replayed ? fields.map((field) => steps[step * STEP_WORDS + field]!) : null;
    if (was !== null && is !== null && was.every((word, i) => word === is[i])) continue;
    return diverged(plan, step, passageOf(was), passageOf(is));
  }
  return null;
}

function passageOf(words: readonly number[] | null): Passage | null {
  if (words === null) return null;
  const [cpu, op, at, value] = words;
  return { cpu: cpu!, op: op!, at: at!, value: value! };
}

function diverged(
  plan: Plan,
  step: number,
  expected: Passage | null,
  found: Passage | null,
): string {
  return (
    `replay diverged at step ${step}: expected ${passageText(plan, expected)}, ` +
    `found ${passageText(plan, found)}`
  );
}

function passageText(plan: Plan, passage: Passage | null): string {
  if (passage === null) return 'the end';
  const map = arenaMap(geometryFor(plan));
  const { cpu, op, at, value } = passage;
  // Names that need the state of the arena fall back on the place alone.
  const { name } = nameWord(new Int32Array(new SharedArrayBuffer(4 * map.sizeWords)), map, at);
  if (op === NO_STEP.end) return `the end of cpu${cpu}`;
  if (op === NO_STEP.choice) return `a choice of cpu${cpu} among ${at}`;
  return `cpu${cpu} ${GATE_NAMES[op]} ${name} (found ${value})`;
}

async function onThreads(plan: Plan, reply: ReplayReply, tree: URL): Promise<Threads> {
  const { steps, choices, end } = reply;
  const decided = steps.length / STEP_WORDS;
  const judges: ConfirmJudges = {
    judge,
    tellLivelock,
    judgeDeadlock: (evidence, waits) => judgeDeadlock(evidence, waits, PERCPU),
  };
  const confirmation = await confirmSchedule(
    {
      plan,
      geometry: geometryFor(plan),
      steps,
      choices,
      decided,
      end,
      isCut: decided === decidedMaxOf(plan),
    },
    { entry: new URL('tasks/entry.js', tree).href, judges },
  );
  return threadsOf(plan, confirmation);
}

function threadsOf(plan: Plan, confirmation: Confirmation): Threads {
  switch (confirmation.kind) {
    case 'same':
      return { kind: 'same', verdicts: confirmation.verdicts };
    case 'diverged': {
      const { step, expected, found } = confirmation;
      return { kind: 'other', why: diverged(plan, step, expected, found) };
    }
    case 'stopped': {
      const standing = confirmation.standing.map((each) => passageText(plan, each));
      return { kind: 'other', why: `no end, ${confirmation.why}; at ${standing.join('; ')}` };
    }
  }
}
