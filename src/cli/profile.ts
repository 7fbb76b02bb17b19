/**
 * `pttorture profile`: runs a scenario with lock statistics and says where its CPUs waited; with
 * several numbers of CPUs, protocols or lock algorithms, how that changes.
 */
import type { Command } from 'commander';
import type { LockAlgorithm, Plan } from '#scenario/plan';
import { commandText, runCampaign } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import type { ExitCode } from './exit-code.ts';
import {
  durationFlag,
  integerFlag,
  LOCK_ALGORITHMS,
  type LockChoices,
  lockFlag,
  SPIN_CLASSES,
  settingFlag,
} from './flags.ts';
import { type HtmlOutput, openHtmlOutput } from './html-output.ts';
import { openJsonOutput } from './json-output.ts';
import { requestOf } from './plan-flags.ts';
import { paintFor } from './print-report.ts';
import { optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

export function addProfile(program: Command, context: Context, act: Act): void {
  program
    .command('profile')
    .description('say where the CPUs of a scenario wait, and how it scales')
    .argument('<scenario>', 'a shipped scenario (see list) or the path of a .yaml file')
    .option('--protocol <names>', 'protocols, separated by commas (default: what it asks about)')
    .option('--cpus <list>', "numbers of CPUs, e.g. 1,2,4,8 (default: 1 and the scenario's)")
    .option('--lock <list>', 'algorithms to compare (ttas,ticket), or CLASS=NAME,...')
    .option('--no-split-locks', 'one page-table lock for the whole mm')
    .option('-p, --parameter <name=value>', 'set NAME, or PROTOCOL.OPTION', settingFlag)
    .option('--duration <time>', 'of each run (default: 3s)', durationFlag('--duration'))
    .option('--seed <n>', 'seed of all chance', integerFlag('--seed', 0, 2 ** 32 - 1), 1)
    .option('--json <file>', 'write the result document; - for stdout, and nothing else there')
    .option('--html <file>', 'write the report as a page, which opens without a network')
    .action((scenario: string, options: ProfileOptions) =>
      act(() => profile(context, scenario, options)),
    );
}

interface ProfileOptions {
  readonly protocol?: string;
  readonly cpus?: string;
  readonly lock?: string;
  readonly splitLocks: boolean;
  readonly parameter?: Readonly<Record<string, string>>;
  readonly duration?: number;
  readonly seed: number;
  readonly json?: string;
  readonly html?: string;
}

const PROTOCOL = 'pt-reclaim';
const DURATION_MS = 3000;

async function profile(context: Context, word: string, options: ProfileOptions): Promise<ExitCode> {
  const plans = await plansOf(context, word, options);
  const { json: target, html: page } = options;
  const json = target === undefined ? null : openJsonOutput(context.io, target);
  let html: HtmlOutput | null = null;
  try {
    if (page !== undefined) html = openHtmlOutput(context, page, target);
    const { result, code, failure } = await runCampaign(context, {
      ...{ plans, broken: null, command: commandText(context.words), deadlineMs: null },
    });
    if (failure !== null) throw failure;
    const { stdout } = context.io;
    if (target !== '-' && result.runs.length > 0) {
      const { profileReport } = await import('#report/profile');
      stdout.write(profileReport(result, { width: stdout.columns, paint: paintFor(stdout) }));
    }
    json?.write(result);
    await html?.write(result);
    return code;
  } finally {
    json?.discard();
    html?.discard();
  }
}

/** One for each protocol, choice of locks and number of CPUs. */
async function plansOf(context: Context, word: string, options: ProfileOptions): Promise<Plan[]> {
  const scenario = await scenarioCalled(context, word);
  const protocolOptions = await optionsByProtocol(context.engine);
  const known = Object.keys(protocolOptions);
  const wanted = options.protocol ?? scenario.protocol ?? PROTOCOL;
  const protocols = [...new Set(wanted.split(',').map((each) => choose('protocol', each, known)))];
  const { seed, splitLocks, parameter, duration: durationMs = DURATION_MS } = options;
  const common = {
    ...requestOf(scenario, null, { seed, splitLocks, parameter: { ...parameter } }),
    durationMs,
  };
  const planFor = (protocol: string, locks: LockChoices, cpus?: number): Plan =>
    scenario.buildPlan({
      ...{ ...common, protocol, protocolOptions, locks, lockStat: true },
      ...(cpus === undefined ? {} : { cpus }),
    });
  const choices = locksOf(options.lock);
  const numbers = cpusOf(options.cpus) ?? [1, planFor(protocols[0]!, choices[0]!).cpus];
  return protocols.flatMap((protocol) =>
    choices.flatMap((locks) => [...new Set(numbers)].map((cpus) => planFor(protocol, locks, cpus))),
  );
}

function cpusOf(text: string | undefined): number[] | null {
  if (text === undefined) return null;
  const read = integerFlag('--cpus', 1);
  return text.split(',').map(read);
}

/** Algorithms for all classes, one after another; or one choice by class. */
function locksOf(text: string | undefined): LockChoices[] {
  if (text === undefined) return [{}];
  if (text.includes('=')) return [lockFlag(text)];
  return text.split(',').map((name) => {
    const algorithm = choose('lock algorithm', name, LOCK_ALGORITHMS) as LockAlgorithm;
    return Object.fromEntries(SPIN_CLASSES.map((each) => [each, algorithm])) as LockChoices;
  });
}
