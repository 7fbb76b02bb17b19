/**
 * The whole of an exploration: search with all searchers, then make of each different violation the
 * smallest that fails the same way, replay it, and draw its diagram.
 */
import { nowMs } from '#arena/clock';
import { STEP, STEP_WORDS } from '#arena/layout/history';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import type { Exploration, ExploredViolation } from '#result/exploration';
import type { OutcomeName, Plan } from '#scenario/plan';
import type { ReplayReply, SearchReply, ShrinkReply } from './jobs.ts';
import { bitOf } from './outcomes.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { explorationPlan, type Figures, type Found, type StrategyChoice } from './search.ts';
import { Searchers } from './searchers.ts';
import { silenceOf } from './silence.ts';
import type { Reduction } from './smaller/reduction.ts';
import { isSystematic } from './strategies/registry.ts';
import { isOfKind } from './wanted.ts';

export interface ExploreRequest {
  /** As the scenario has it. */
  readonly plan: Plan;
  readonly edit: LineEdit | null;
  readonly strategy: StrategyChoice;
  /** Of all searchers together; null: no limit. */
  readonly executionsMax: number | null;
  readonly durationMs: number | null;
  readonly keepGoing: boolean;
  /** The kind of violation that is looked for; null: any. Others are told if it does not come. */
  readonly kind: string | null;
  readonly searchers: number;
  /** For each violation. */
  readonly shrinkMs: number;
  /** The word that names a reduced plan and its schedule, where there is one. */
  nameReplay(planSeed: number, kept: Reduction, schedule: Schedule, check: string): string | null;
}

export interface ExploreHooks {
  onProgress?(progress: ExploreProgress): void;
  readonly signal?: AbortSignal;
}

export interface ExploreProgress {
  readonly activity: 'search' | 'shrink';
  readonly seconds: number;
  readonly figures: Total;
}

/** The figures of all searchers together; traces and states that two have seen count twice. */
export type Total = Omit<Figures, 'latestNew' | 'isOnePlan'> & { readonly newShare: number };

/** What an exploration comes to; who asked for it, and where, is the caller's to add. */
export type Explored = Omit<
  Exploration,
  'pttorture' | 'schema' | 'kind' | 'command' | 'parameters' | 'machine' | 'scenario' | 'broken'
>;

/** Violations that are shrunk and told in full. */
const TOLD_MAX = 10;
/** How long the kind that is looked for may come after another. */
const PATIENCE_MS = 5_000;
/** Executions of which a searcher counts the new traces. */
const LATEST = 1000;
const REPLAYS = 3;

export async function explore(request: ExploreRequest, hooks: ExploreHooks): Promise<Explored> {
  const { stepped } = await treeRoots(request.edit);
  const count = isSystematic(request.strategy.name) ? 1 : request.searchers;
  const searchers = new Searchers(count, stepped.href);
  const began = nowMs();
  const seconds = (): number => ((nowMs() - began) | 0) / 1000;
  try {
    const searched = await search(searchers, request, hooks, seconds);
    const violations: ExploredViolation[] = [];
    for (const found of searched.found.slice(0, TOLD_MAX)) {
      hooks.onProgress?.({ activity: 'shrink', seconds: seconds(), figures: searched.total });
      // Who interrupts gets what there is.
      const shrinkMs = hooks.signal?.aborted ? 0 : request.shrinkMs;
      violations.push(await told(searchers, { ...request, shrinkMs }, found));
    }
    return documentOf(request, searched, violations, count, seconds());
  } finally {
    await searchers.close();
  }
}

export interface SearchedAll {
  readonly total: Total;
  readonly traces: number;
  readonly isExhausted: boolean;
  readonly isInterrupted: boolean;
  readonly found: readonly Found[];
}

async function search(
  searchers: Searchers,
  request: ExploreRequest,
  hooks: ExploreHooks,
  seconds: () => number,
): Promise<SearchedAll> {
  const { plan, strategy, executionsMax, durationMs, keepGoing, kind } = request;
  const timeUp = new AbortController();
  let patience: NodeJS.Timeout | undefined;
  const timer = durationMs === null ? undefined : setTimeout(() => timeUp.abort(), durationMs);
  const signals = [timeUp.signal, ...(hooks.signal === undefined ? [] : [hooks.signal])];
  const share = executionsMax === null ? null : Math.ceil(executionsMax / searchers.count);
  const replies = await searchers.search(
    { plan, strategy, executionsMax: share },
    {
      onProgress: (figures) =>
        hooks.onProgress?.({ activity: 'search', seconds: seconds(), figures: totalOf(figures) }),
      onFound: (found) => {
        if (keepGoing) return false;
        if (kind === null || isOfKind(found.kind, kind)) return true;
        patience ??= setTimeout(() => timeUp.abort(), PATIENCE_MS);
        return false;
      },
      signal: AbortSignal.any(signals),
    },
  );
  clearTimeout(timer);
  clearTimeout(patience);
  const found = distinct(replies.flatMap((reply) => reply.found));
  return {
    total: totalOf(replies.map(({ figures }) => figures)),
    traces: tracesOf(replies),
    isExhausted: replies.every(({ isExhausted }) => isExhausted),
    isInterrupted: hooks.signal?.aborted === true,
    found: keepGoing ? found : ofKind(found, kind).slice(0, 1),
  };
}

/** The first of each signature; the shortest first. */
function distinct(found: readonly Found[]): Found[] {
  const first = new Map<string, Found>();
  for (const each of found.toSorted((a, b) => a.steps - b.steps))
    if (!first.has(each.signature)) first.set(each.signature, each);
  return [...first.values()];
}

/** Those of the kind that is looked for, if there are any. */
function ofKind(found: readonly Found[], kind: string | null): readonly Found[] {
  const wanted = found.filter((each) => kind !== null && isOfKind(each.kind, kind));
  return wanted.length === 0 ? found : wanted;
}

function tracesOf(replies: readonly SearchReply[]): number {
  const [first] = replies;
  if (replies.length === 1) return first!.traces.length;
  const all = new Set<number>();
  for (const { traces } of replies) for (const trace of traces) all.add(trace);
  return all.size;
}

export function totalOf(figures: readonly Figures[]): Total {
  const sum = (of: (figures: Figures) => number): number =>
    figures.reduce((total, each) => total + of(each), 0);
  const latest = sum(({ executions }) => Math.min(executions, LATEST));
  const least = (of: (figures: Figures) => number | null): number | null => {
    const known = figures.map(of).filter((each) => each !== null);
    return known.length === 0 ? null : Math.min(...known);
  };
  return {
    executions: sum(({ executions }) => executions),
    abandoned: sum(({ abandoned }) => abandoned),
    steps: sum(({ steps }) => steps),
    longest: Math.max(0, ...figures.map(({ longest }) => longest)),
    traces: sum(({ traces }) => traces),
    states: sum(({ states }) => states),
    violations: sum(({ violations }) => violations),
    plans: figures[0]?.isOnePlan ? 1 : sum(({ plans }) => plans),
    someOutcomes: figures.reduce((bits, each) => bits | each.someOutcomes, 0),
    allOutcomes: figures.reduce((bits, each) => bits & each.allOutcomes, -1),
    done: least(({ done }) => done),
    chance: least(({ chance }) => chance),
    newShare: latest === 0 ? 0 : sum(({ latestNew }) => latestNew) / latest,
  };
}

/** Shrinks what was found; where that fails within its time, the found itself is told. */
export async function told(
  searchers: Searchers,
  request: ExploreRequest,
  found: Found,
): Promise<ExploredViolation> {
  const plan = explorationPlan(request.plan, found.planSeed);
  const { kind, schedule } = found;
  const began = nowMs();
  const shrunk = await searchers.shrink({ plan, schedule, kind, forMs: request.shrinkMs });
  const seconds = ((nowMs() - began) | 0) / 1000;
  const replay = await searchers.replay({
    ...{ plan: shrunk.plan, schedule: shrunk.schedule, times: REPLAYS },
  });
  return violationOf(request, found, shrunk, replay, seconds);
}

function violationOf(
  request: ExploreRequest,
  found: Found,
  shrunk: ShrinkReply,
  replay: ReplayReply,
  seconds: number,
): ExploredViolation {
  const verdict = replay.verdicts.find(({ kind }) => kind === found.kind) ?? found;
  const { plan, reduction, schedule, preemptions, minimal, executions } = shrunk;
  const { planSeed, execution } = found;
  const word = request.nameReplay(planSeed, reduction, parseSchedule(schedule), replay.check);
  return {
    kind: verdict.kind,
    message: verdict.message,
    cpus: [...verdict.cpus],
    signature: replay.signature,
    found: { planSeed, execution, steps: found.steps },
    shrunk: {
      cpus: plan.cpus,
      operations: plan.columns.reduce((sum, ops) => sum + ops.length, 0),
      steps: replay.steps.length / STEP_WORDS,
      ...{ preemptions, isMinimal: minimal, executions, seconds },
    },
    replay: word,
    failure: {
      ...{ plan, edit: request.edit, schedule, end: replay.end },
      ...{ kind: verdict.kind, message: verdict.message, history: historyOf(replay.steps) },
    },
    interleaving: replay.interleaving,
  };
}

/** CPU, kind of passage, word, and what it held, of each step. */
function historyOf(steps: Int32Array): number[] {
  const history: number[] = [];
  for (let at = 0; at < steps.length; at += STEP_WORDS)
    history.push(
      ...[steps[at + STEP.cpu]!, steps[at + STEP.op]!, steps[at + STEP.at]!],
      steps[at + STEP.found]!,
    );
  return history;
}

export function documentOf(
  request: ExploreRequest,
  searched: SearchedAll,
  violations: ExploredViolation[],
  searchers: number,
  seconds: number,
): Explored {
  const { plan, strategy } = request;
  const { total, traces, isExhausted, isInterrupted } = searched;
  const { executions, abandoned, steps, longest, states, plans, newShare } = total;
  return {
    ...{ protocol: plan.protocol, seed: plan.seed, cpus: plan.cpus, searchers, seconds },
    strategy: {
      name: strategy.name,
      depth: strategy.depth ?? null,
      bound: strategy.bound ?? null,
    },
    ...{ executions, abandoned, steps, longest, traces, states, plans, newShare },
    ...{ isExhausted, isInterrupted, done: total.done, violations },
    outcomes: outcomesOf(plan, total),
    silence: silenceOf({
      ...{ strategy, executions, traces, plans, newShare, isExhausted },
      ...{ done: total.done, chance: total.chance, violations: violations.length },
    }),
  };
}

/** What the scenario says of its executions, beside what they did. */
function outcomesOf({ outcomes }: Plan, total: Total): Exploration['outcomes'] {
  return outcomes.map(({ outcome, expected }) => {
    const seen = outcome === 'violation' ? ofViolations(total) : seenOf(outcome, total);
    // That something happened sometimes is all that some executions can show.
    const met = expected === seen || (expected === 'sometimes' && seen === 'always');
    return { outcome, expected, seen, met };
  });
}

function ofViolations({ violations, executions }: Total): string {
  if (violations === 0) return 'never';
  return violations === executions ? 'always' : 'sometimes';
}

function seenOf(outcome: OutcomeName, { someOutcomes, allOutcomes, executions }: Total): string {
  const bit = bitOf(outcome);
  if (executions === 0 || (someOutcomes & bit) === 0) return 'never';
  return (allOutcomes & bit) === 0 ? 'sometimes' : 'always';
}
