/** What a made-up exploration and a made-up replay come to, for the tests of this room. */
import type { Explored, ExploreRequest } from '#explore/explore';
import type { Replayed, ReplayRequest } from '#explore/replay';
import { NOT_REDUCED } from '#explore/smaller/reduction';
import type { Interleaving } from '#result/interleaving';

const INTERLEAVING: Interleaving = {
  columns: [
    { cpu: 0, runs: 'touch' },
    { cpu: 1, runs: 'dontneed' },
  ],
  rows: [],
  waits: [],
  verdict: { kind: 'lost-entry', message: 'an entry is lost' },
  raced: null,
  closing: 'cpu0 and cpu1 raced.',
  steps: 7,
};
const SCHEDULE = { stretches: [{ cpu: 0, steps: 3 }], choices: [] };

/** One violation of a broken version, none of the living source. */
export function sampleExplored(request: ExploreRequest): Explored {
  const { plan, strategy, edit } = request;
  const failure = {
    ...{ plan, edit, schedule: '0.3', kind: 'lost-entry', message: 'an entry is lost' },
    ...{ end: 'done', history: [0, 0, 192, 1] },
  };
  const violation = {
    ...{ kind: 'lost-entry', message: 'an entry is lost', cpus: [0, 1], signature: 'lost-entry' },
    found: { planSeed: plan.seed, execution: 3, steps: 90 },
    shrunk: {
      ...{ cpus: 2, operations: 2, steps: 7, preemptions: 1, isMinimal: true, executions: 20 },
      seconds: 0.5,
    },
    replay: request.nameReplay(plan.seed, NOT_REDUCED, SCHEDULE, 'sum'),
    failure,
    interleaving: INTERLEAVING,
  };
  return {
    ...{ protocol: plan.protocol, seed: plan.seed, cpus: plan.cpus, searchers: 2, seconds: 1 },
    strategy: { name: strategy.name, depth: null, bound: null },
    ...{ executions: 1000, abandoned: 0, steps: 90_000, longest: 100, traces: 40, states: 9 },
    ...{ plans: 1, newShare: 0.01, isExhausted: false, isInterrupted: false, done: null },
    outcomes: [],
    silence: 'No violation.',
    violations: edit === null ? [] : [violation],
  };
}

export function sampleReplayed(request: ReplayRequest): Replayed {
  return {
    verdicts: [{ kind: 'lost-entry', message: 'an entry is lost' }],
    ...{ steps: 7, alike: request.times, interleaving: INTERLEAVING, difference: null },
    threads: request.onThreads
      ? { kind: 'same', verdicts: [{ kind: 'lost-entry', message: 'an entry is lost' }] }
      : null,
  };
}
