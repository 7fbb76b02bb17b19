/** `pttorture replay`: carries out again what `explore` found, from its word or its document. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import { lineEditOf } from '#catalogue/broken-version';
import type { Replayed, ReplayRequest } from '#explore/replay';
import { formatCounted } from '#report/format';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { integerFlag } from './flags.ts';
import { flagsIn, requestOf } from './plan-flags.ts';
import { paintFor } from './print-report.ts';
import { brokenCalled, optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

export function addReplay(program: Command, context: Context, act: Act): void {
  program
    .command('replay')
    .description('carry out again, step by step, what explore found')
    .argument('<failure>', 'a replay word (pt1:...), or a document that explore --json wrote')
    .option('--threads', 'enforce the schedule on real threads too')
    .option('--times <n>', 'how often', integerFlag('--times', 1, 100_000), 1)
    .option('--violation <n>', 'which of a document, from 1', integerFlag('--violation', 1), 1)
    .option(
      '--format <form>',
      'text, markdown or json',
      (form) => choose('format', form, FORMATS),
      'text',
    )
    .action((failure: string, options: ReplayOptions) =>
      act(() => replay(context, failure, options)),
    );
}

const FORMATS = ['text', 'markdown', 'json'] as const;

interface ReplayOptions {
  readonly threads?: true;
  readonly times: number;
  readonly violation: number;
  readonly format: (typeof FORMATS)[number];
}

async function replay(
  context: Context,
  failure: string,
  options: ReplayOptions,
): Promise<ExitCode> {
  const { isReplayWord } = await import('#explore/replay-word');
  if (isReplayWord(failure) && options.violation > 1)
    throw new UserError('--violation chooses from a document; a replay word tells of one');
  const recorded = isReplayWord(failure)
    ? await fromWord(context, failure)
    : await fromDocument(context, failure, options.violation);
  const { times, threads } = options;
  const replaying = context.engine.replay({
    ...recorded,
    ...{ times, onThreads: threads ?? false },
  });
  const replayed = await Promise.race([replaying, interrupted(context.signal)]);
  if (replayed === null) return EXIT.interrupted;
  await print(context, replayed, options);
  return exitCode(replayed, options);
}

/** Resolves once `signal` is aborted: what was replayed in part says nothing. */
function interrupted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}

type Recorded = Omit<ReplayRequest, 'times' | 'onThreads'>;

async function fromWord(context: Context, text: string): Promise<Recorded> {
  const { parseReplayWord } = await import('#explore/replay-word');
  const { explorationPlan } = await import('#explore/search');
  const { formatSchedule } = await import('#explore/schedule');
  const word = parseReplayWord(text);
  const scenario = await scenarioCalled(context, word.scenario);
  const broken = await brokenCalled(context, word.broken ?? undefined);
  const protocolOptions = await optionsByProtocol(context.engine);
  const protocol = choose('protocol', word.protocol, Object.keys(protocolOptions));
  const flags = flagsIn(word.settings);
  const request = requestOf(scenario, broken, flags);
  // The length of a run is none of an exploration.
  const plan = scenario.buildPlan({ ...request, protocol, protocolOptions, durationMs: 1000 });
  return {
    plan: explorationPlan(plan, flags.seed, word.reduction),
    edit: broken === null ? null : lineEditOf(broken),
    schedule: formatSchedule(word.schedule),
    check: word.check,
    history: null,
  };
}

async function fromDocument({ io }: Context, path: string, number: number): Promise<Recorded> {
  const { parseViolations } = await import('#result/catalogue-schema');
  const violations = parseViolations(io.readText(path), path);
  const violation = violations[number - 1];
  if (violation === undefined)
    throw new UserError(
      `"${path}" has ${formatCounted(violations.length, 'violation')}; ` +
        `--violation ${number} is none of them`,
    );
  const { plan, edit, schedule, history } = violation.failure;
  return {
    plan: plan as Recorded['plan'],
    edit: edit as Recorded['edit'],
    ...{ schedule, history, check: null },
  };
}

async function print(
  { io }: Context,
  replayed: Replayed,
  { format, times }: ReplayOptions,
): Promise<void> {
  const { stdout } = io;
  const { renderInterleaving } = await import('#report/diagram');
  const { interleaving, difference, verdicts, steps, alike, threads } = replayed;
  if (format === 'json') {
    stdout.write(`${JSON.stringify(replayed, null, 2)}\n`);
    return;
  }
  if (difference !== null) {
    stdout.write(`${difference}\n`);
    return;
  }
  const paint = paintFor(stdout);
  stdout.write(renderInterleaving(interleaving, { width: stdout.columns, format, paint }));
  const kinds = verdicts.map(({ kind, message }) => `${kind}: ${message}`);
  stdout.write(`\n${kinds.length === 0 ? 'no violation' : kinds[0]}\n`);
  const often = times === 1 ? 'once' : `${alike} of ${times} times alike`;
  stdout.write(`replayed ${often}, ${steps} steps\n`);
  if (threads?.kind === 'same') {
    const kind = sameKind(replayed) ?? threads.verdicts[0]?.kind ?? null;
    const told = kind === null ? 'no violation' : `${kind}, the same steps`;
    stdout.write(`on real threads: ${told}\n`);
  } else if (threads !== null) stdout.write(`on real threads: ${threads.why}\n`);
}

/** 1: reproduced, as often as asked for, and on threads if asked for. */
function exitCode(replayed: Replayed, { times }: ReplayOptions): ExitCode {
  const { difference, verdicts, alike, threads } = replayed;
  if (difference !== null || alike !== times || threads?.kind === 'other') return EXIT.failed;
  if (verdicts.length === 0) return EXIT.well;
  return threads === null || sameKind(replayed) !== null ? EXIT.found : EXIT.failed;
}

/**
 * The kind of the violation, if threads found it too. From the fair phase on they run freely, and
 * may find what comes of it in another order.
 */
function sameKind({ verdicts, threads }: Replayed): string | null {
  const kind = verdicts[0]?.kind;
  const found = threads?.kind === 'same' ? threads.verdicts : [];
  return found.find((verdict) => verdict.kind === kind)?.kind ?? null;
}
