/** `pttorture run`: one scenario under one or several protocols, on real threads, in rounds. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { Result } from '#result/result';
import type { Plan } from '#scenario/plan';
import { type Campaign, commandText, runCampaign } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import type { ExitCode } from './exit-code.ts';
import { durationFlag, integerFlag } from './flags.ts';
import { type HtmlOutput, openHtmlOutput } from './html-output.ts';
import { openJsonOutput } from './json-output.ts';
import { addPlanFlags, type PlanFlags, requestOf } from './plan-flags.ts';
import { printLockStat, printReport } from './print-report.ts';
import { brokenCalled, optionsByProtocol, scenarioCalled } from './scenario-choice.ts';
import {
  addTraceFlags,
  openTraceOutput,
  type TraceFlags,
  type TraceOutput,
  traceEventsOf,
} from './trace-output.ts';

export function addRun(program: Command, context: Context, act: Act): void {
  const command = program
    .command('run')
    .description('run a scenario on real threads and judge it')
    .argument(
      '[scenario]',
      'a shipped scenario (see list) or the path of a .yaml or .trace.gz file',
    )
    .option('--protocol <names>', 'protocols, separated by commas, or all', 'all')
    .option('--broken <name>', 'run a broken version; scenario and protocol come with it')
    .option('--duration <time>', 'length of the main phase, e.g. 10s', durationFlag('--duration'))
    .option(
      '--ops <n>',
      "rounds of the CPUs' loops, instead of a duration",
      integerFlag('--ops', 1),
    );
  addPlanFlags(command)
    .option('--rcu <form>', 'qsbr or announced', (form) => choose('RCU form', form, RCU_FORMS))
    .option('--noise <n>', 'random delays, 0 to 100', integerFlag('--noise', 0, 100))
    .option(
      '--rounds <n>',
      'run each protocol so often, in alternating order; report the median',
      integerFlag('--rounds', 1, 20),
      1,
    )
    .option('--deadline <time>', 'give a run up after so long', durationFlag('--deadline'))
    .option('--lock-stat', 'keep lock statistics by call site, and print them after the report')
    .option('--json <file>', 'write the result document; - for stdout, and nothing else there')
    .option('--html <file>', 'write the report as a page, which opens without a network');
  addTraceFlags(command).action(
    (scenario: string | undefined, options: RunOptions, command: Command) => {
      const isProtocolGiven = command.getOptionValueSource('protocol') === 'cli';
      return act(() => run(context, scenario, options, isProtocolGiven));
    },
  );
}

const RCU_FORMS = ['qsbr', 'announced'] as const;

interface RunOptions extends PlanFlags, TraceFlags {
  readonly protocol: string;
  readonly broken?: string;
  readonly duration?: number;
  readonly ops?: number;
  readonly rcu?: 'qsbr' | 'announced';
  readonly noise?: number;
  readonly deadline?: number;
  readonly lockStat?: boolean;
  readonly html?: string;
}

async function run(
  context: Context,
  scenarioWord: string | undefined,
  options: RunOptions,
  isProtocolGiven: boolean,
): Promise<ExitCode> {
  if (options.duration !== undefined && options.ops !== undefined) {
    throw new UserError('--duration and --ops exclude each other; give one of them');
  }
  const broken = await brokenCalled(context, options.broken);
  const word = scenarioWord ?? broken?.scenario;
  if (word === undefined) {
    throw new UserError('no scenario given; choose one (pttorture list scenarios) or a --broken');
  }
  const scenario = await scenarioCalled(context, word);
  const wanted = isProtocolGiven || broken === null ? options.protocol : broken.protocol;
  const protocolOptions = await optionsByProtocol(context.engine);
  const protocols = protocolsCalled(Object.keys(protocolOptions), wanted);
  const common = requestOf(scenario, broken, options);
  const { duration: durationMs, ops, rcu, noise = common.noise, lockStat = false } = options;
  const traceEvents = traceEventsOf(options);
  const request = { ...common, durationMs, ops, rcu, noise, lockStat, traceEvents };
  const plans = protocols.map((protocol) =>
    scenario.buildPlan({ ...request, protocol, protocolOptions }),
  );

  const { recording } = scenario;
  const trace = openTraceOutput(context, plans, options);
  try {
    return await runPlans(context, plans, { broken, recording }, options, trace);
  } finally {
    trace?.discard();
  }
}

/** Runs them, and writes what is to be written. */
async function runPlans(
  context: Context,
  plans: readonly Plan[],
  origin: Pick<Campaign, 'broken' | 'recording'>,
  options: RunOptions,
  trace: TraceOutput | null,
): Promise<ExitCode> {
  const json = options.json === undefined ? null : openJsonOutput(context.io, options.json);
  let html: HtmlOutput | null = null;
  try {
    if (options.html !== undefined) html = openHtmlOutput(context, options.html, options.json);
    const { result, code, failure } = await runCampaign(context, {
      plans,
      ...origin,
      command: commandText(context.words),
      deadlineMs: options.deadline ?? null,
      rounds: options.rounds,
      ...(trace === null ? {} : { onTrace: (taken) => trace.take(taken) }),
    });
    if (failure === null || result.runs.length > 0) {
      if (options.json !== '-') {
        await printReport(context, result);
        if (options.lockStat) {
          context.io.stdout.write('\n');
          await printLockStat(context, result);
        }
        context.io.stdout.write(nextStep(result, options.json));
      }
      json?.write(result);
      await html?.write(result);
    }
    const note = (await trace?.write()) ?? '';
    if (note !== '') context.io[options.json === '-' ? 'stderr' : 'stdout'].write(`\n${note}`);
    if (failure !== null) throw failure;
    return code;
  } finally {
    json?.discard();
    html?.discard();
  }
}

/** After a violation: how to get from it to the interleaving that leads there. */
function nextStep({ runs, recording }: Result, json: string | undefined): string {
  // A recording cannot be explored.
  if (recording || runs.every(({ violations }) => violations.length === 0)) return '';
  const how =
    json === undefined
      ? 'run it again with --json FILE, then pttorture explore --from FILE'
      : commandText(['explore', '--from', json]);
  return `\nfind its interleaving:\n  ${how}\n`;
}

/** `all`, or names separated by commas; each once. */
function protocolsCalled(known: readonly string[], wanted: string): string[] {
  const chosen = new Set(
    wanted.split(',').map((name) => choose('protocol', name, [...known, 'all'])),
  );
  return chosen.has('all') ? [...known] : [...chosen];
}
