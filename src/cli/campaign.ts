/**
 * Several plans, one after another, gathered into one result. In several rounds the order
 * alternates (forward, backward, forward, ...), so that a machine that grows faster or slower in
 * the course of time favours no protocol.
 */
import { type BrokenVersion, lineEditOf } from '#catalogue/broken-version';
import type { Result, Run } from '#result/result';
import type { RunTrace } from '#result/run-trace';
import type { Plan } from '#scenario/plan';
import type { RecordedProgram } from '#scenario/trace/trace-scenario';
import type { Context } from './command-line.ts';

import { EXIT, EXIT_OF_VERDICT, type ExitCode } from './exit-code.ts';
import { progressLine } from './progress.ts';

export interface Campaign {
  readonly plans: readonly Plan[];
  /** The edit that the plans run with. */
  readonly broken: BrokenVersion | null;
  /** Of a trace: what the real program did. */
  readonly recording?: RecordedProgram | undefined;
  /** The command that the result gives for running it again. */
  readonly command: string;
  readonly deadlineMs: number | null;
  /** How often each plan is run; once if left out. */
  readonly rounds?: number;
  /** Called with the trace of each run whose plan asks for one. */
  readonly onTrace?: (trace: RunTrace) => void;
}

export interface Outcome {
  readonly result: Result;
  readonly code: ExitCode;
  /** What a run threw; the result then holds the runs before it. */
  readonly failure: unknown;
}

/** Without a deadline of its own, a run may take this long beyond its duration. */
const GRACE_MS = 10 * 60_000;

export async function runCampaign(context: Context, campaign: Campaign): Promise<Outcome> {
  const { engine, io, signal } = context;
  const order = orderOf(campaign);
  const line = progressLine(io.stderr);
  const ran = new Map<Plan, Run[]>();
  let failure: unknown = null;
  try {
    const edit = campaign.broken === null ? null : lineEditOf(campaign.broken);
    const entry = edit === null ? null : await engine.prepareBroken(edit);
    for (const [i, plan] of order.entries()) {
      if (signal.aborted) break;
      const place = order.length > 1 ? ` (${i + 1} of ${order.length})` : '';
      const run = await engine.run(plan, {
        ...(entry === null ? {} : { entry }),
        ...(campaign.onTrace === undefined ? {} : { onTrace: campaign.onTrace }),
        onProgress: (progress) =>
          line.show(`${plan.scenario} under ${plan.protocol}${place}`, progress),
        signal,
        deadlineMs: campaign.deadlineMs ?? (plan.durationMs ?? 0) + GRACE_MS,
      });
      ran.set(plan, [...(ran.get(plan) ?? []), run]);
      if (run.exit === 'interrupted') break;
    }
  } catch (error) {
    failure = error;
  } finally {
    line.clear();
  }
  const { reportedRun } = await import('./rounds.ts');
  const runs = campaign.plans.flatMap((plan) => {
    const rounds = ran.get(plan);
    return rounds === undefined ? [] : [reportedRun(rounds)];
  });
  const code = await exitCode([...ran.values()].flat(), order.length);
  return { result: resultOf(context, campaign, runs), code, failure };
}

/** The plans as they are run: all of them in each round, every second round backward. */
function orderOf({ plans, rounds = 1 }: Campaign): Plan[] {
  return Array.from({ length: rounds }, (_, i) =>
    i % 2 === 0 ? plans : plans.toReversed(),
  ).flat();
}

/** The words as they can be pasted into a shell. */
export function commandText(words: readonly string[]): string {
  return ['pttorture', ...words].map(quoted).join(' ');
}

function resultOf({ io }: Context, campaign: Campaign, runs: Run[]): Result {
  const { plans, command, recording } = campaign;
  const [plan] = plans;
  return {
    pttorture: io.version,
    schema: 1,
    command,
    scenario: plan.scenario,
    broken: plan.broken,
    seed: plan.seed,
    parameters: plan.parameters,
    machine: io.machine,
    ...(recording === undefined ? {} : { recording }),
    runs,
    plan,
  };
}

/** A run that was never begun makes the whole interrupted. */
async function exitCode(runs: Run[], planned: number): Promise<ExitCode> {
  const { worstVerdict } = await import('#report/verdict');
  const verdict = worstVerdict({ runs });
  if (verdict === null) return EXIT.interrupted;
  const code = EXIT_OF_VERDICT[verdict];
  return code === EXIT.well && runs.length < planned ? EXIT.interrupted : code;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
