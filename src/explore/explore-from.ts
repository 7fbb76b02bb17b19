/**
 * From a violation in a run to a schedule: small plans made of the run are searched in turn, a few
 * executions each and then more, until one ends in a violation of the same kind.
 */
import { nowMs } from '#arena/clock';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import {
  documentOf,
  type Explored,
  type ExploreHooks,
  type ExploreRequest,
  type SearchedAll,
  type Total,
  told,
  totalOf,
} from './explore.ts';
import { FORMS, type Origin, planFrom } from './from-result.ts';
import type { SearchReply } from './jobs.ts';
import type { Found, StrategyChoice } from './search.ts';
import { Searchers } from './searchers.ts';
import { isOfKind } from './wanted.ts';

export interface FromRequest
  extends Pick<ExploreRequest, 'executionsMax' | 'durationMs' | 'searchers' | 'shrinkMs'> {
  readonly origin: Origin;
  readonly edit: LineEdit | null;
  /** Null: several in turn. */
  readonly strategy: StrategyChoice | null;
}

/** A plan, and how it is searched. */
interface Trial {
  readonly plan: ExploreRequest['plan'];
  readonly strategy: StrategyChoice;
  /** Of each searcher. */
  readonly executions: number;
}

const STRATEGIES: readonly StrategyChoice[] = [
  { name: 'pos' },
  { name: 'pct' },
  { name: 'random' },
];
/** Executions of each searcher in a trial, at first; doubled once all strategies had their turn. */
const EXECUTIONS_FIRST = 40;
const DOUBLED_MAX = 8;

export async function exploreFrom(request: FromRequest, hooks: ExploreHooks): Promise<Explored> {
  const { stepped } = await treeRoots(request.edit);
  const searchers = new Searchers(request.searchers, stepped.href);
  try {
    const quest = new Quest(request, hooks, searchers);
    return await quest.go();
  } finally {
    await searchers.close();
  }
}

/** One search after another, and what they have come to. */
class Quest {
  private readonly request: FromRequest;
  private readonly hooks: ExploreHooks;
  private readonly searchers: Searchers;
  private readonly began = nowMs();
  private readonly timeUp = new AbortController();
  private total: Total = totalOf([]);
  private trials = 0;
  private same: { trial: Trial; found: Found } | null = null;
  /** The first of another kind. */
  private other: { trial: Trial; found: Found } | null = null;

  constructor(request: FromRequest, hooks: ExploreHooks, searchers: Searchers) {
    this.request = request;
    this.hooks = hooks;
    this.searchers = searchers;
  }

  async go(): Promise<Explored> {
    const { durationMs } = this.request;
    const timer =
      durationMs === null ? undefined : setTimeout(() => this.timeUp.abort(), durationMs);
    for (let round = 0; this.goesOn(); round++) await this.playRound(round);
    clearTimeout(timer);
    return this.explored();
  }

  private goesOn(): boolean {
    const { executionsMax } = this.request;
    if (this.same !== null || this.signal().aborted) return false;
    return executionsMax === null || this.total.executions < executionsMax;
  }

  private signal(): AbortSignal {
    const { signal } = this.hooks;
    return signal === undefined
      ? this.timeUp.signal
      : AbortSignal.any([this.timeUp.signal, signal]);
  }

  /** Each form by one of the strategies, by another in the next round. */
  private async playRound(round: number): Promise<void> {
    const { origin, strategy } = this.request;
    const strategies = strategy === null ? STRATEGIES : [strategy];
    const doubled = Math.min(DOUBLED_MAX, Math.floor(round / strategies.length));
    for (const [i, form] of FORMS.entries()) {
      if (!this.goesOn()) return;
      const plan = planFrom(origin, form);
      const seed = plan.seed + this.trials++ * this.searchers.count;
      await this.play({
        plan: { ...plan, seed },
        strategy: strategies[(i + round) % strategies.length]!,
        executions: EXECUTIONS_FIRST << doubled,
      });
    }
  }

  private async play(trial: Trial): Promise<void> {
    const { plan, strategy, executions } = trial;
    const replies = await this.searchers.search(
      { plan, strategy, executionsMax: executions },
      {
        onProgress: (figures) => this.tell(sum(this.total, totalOf(figures)), 'search'),
        onFound: ({ kind }) => this.isSame(kind),
        signal: this.signal(),
      },
    );
    this.note(trial, replies);
  }

  private note(trial: Trial, replies: readonly SearchReply[]): void {
    this.total = sum(this.total, totalOf(replies.map(({ figures }) => figures)));
    const found = replies.flatMap((reply) => reply.found).toSorted((a, b) => a.steps - b.steps);
    const same = found.find(({ kind }) => this.isSame(kind));
    if (same !== undefined) this.same = { trial, found: same };
    else if (found.length > 0) this.other ??= { trial, found: found[0]! };
  }

  private isSame(kind: string): boolean {
    return isOfKind(kind, this.request.origin.violation.kind);
  }

  private async explored(): Promise<Explored> {
    const { request, searchers, total } = this;
    const best = this.same ?? this.other;
    const { plan, strategy } = best?.trial ?? {
      plan: planFrom(request.origin, FORMS[0]!),
      strategy: request.strategy ?? STRATEGIES[0]!,
    };
    const asked: ExploreRequest = {
      ...{ ...request, plan, strategy, keepGoing: false, kind: null },
      // The command line cannot name such a plan.
      nameReplay: () => null,
    };
    this.tell(total, 'shrink');
    const violations = best === null ? [] : [await told(searchers, asked, best.found)];
    const searched: SearchedAll = {
      ...{ total, traces: total.traces, isExhausted: false, found: [] },
      isInterrupted: this.hooks.signal?.aborted === true,
    };
    const document = documentOf(asked, searched, violations, searchers.count, this.seconds());
    return { ...document, seed: request.origin.plan.seed, silence: this.sentence() };
  }

  private sentence(): string {
    const wanted = this.request.origin.violation.kind;
    const { executions } = this.total;
    const kind = this.same?.found.kind;
    if (kind === wanted)
      return `The run ended in ${wanted}; so does this schedule of a few of its last operations.`;
    if (kind !== undefined)
      return `The run hung (${wanted}); so does this schedule of a few of its last operations.`;
    const tried = `in ${executions} executions of small plans made of the run`;
    if (this.other === null) return `The ${wanted} of the run did not appear ${tried}.`;
    return (
      `The ${wanted} of the run did not appear ${tried}; ` +
      `${this.other.found.kind} did, and is what is told here.`
    );
  }

  private tell(figures: Total, activity: 'search' | 'shrink'): void {
    this.hooks.onProgress?.({ activity, seconds: this.seconds(), figures });
  }

  private seconds(): number {
    return ((nowMs() - this.began) | 0) / 1000;
  }
}

function sum(a: Total, b: Total): Total {
  return {
    executions: a.executions + b.executions,
    abandoned: a.abandoned + b.abandoned,
    steps: a.steps + b.steps,
    longest: Math.max(a.longest, b.longest),
    traces: a.traces + b.traces,
    states: a.states + b.states,
    violations: a.violations + b.violations,
    plans: a.plans + b.plans,
    someOutcomes: a.someOutcomes | b.someOutcomes,
    allOutcomes: a.allOutcomes & b.allOutcomes,
    done: null,
    chance: null,
    newShare: b.newShare,
  };
}
