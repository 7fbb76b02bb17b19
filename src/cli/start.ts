/**
 * `pttorture start`: the main job, in less than a minute. The allocator's loop over its whole
 * address space and the churn of races, each under no reclaim, the scanner, and reclaim inside
 * zap.
 */
import type { Command } from 'commander';
import { commandText, runCampaign } from './campaign.ts';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { textOptions } from './print-report.ts';
import { optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

export function addStart(program: Command, context: Context, act: Act): void {
  program
    .command('start')
    .description('the main job: the problem and two answers to it, in less than a minute')
    .action(() => act(() => start(context)));
}

const PROTOCOLS = ['none', 'async-scanner', 'pt-reclaim'] as const;
const WHOLE_PHASES = ['setup', 'main', 'fair'];
const CPUS = 2;
const SEED = 1;
/** How long all runs together may take, and how much of that one run of `churn` gets at most. */
const TOTAL_SECONDS = 50;
const CHURN_SECONDS = { most: 5, least: 1, overhead: 1 } as const;

async function start(context: Context): Promise<ExitCode> {
  const loop = await job(context, 'allocator-loop', null);
  if (loop.code === EXIT.interrupted) return loop.code;
  context.io.stdout.write('\n');
  const left = (TOTAL_SECONDS - loop.seconds) / PROTOCOLS.length - CHURN_SECONDS.overhead;
  const seconds = Math.max(Math.min(Math.floor(left), CHURN_SECONDS.most), CHURN_SECONDS.least);
  const churn = await job(context, 'churn', seconds);
  if (churn.code !== EXIT.interrupted) context.io.stdout.write(NEXT);
  return churn.code === EXIT.well ? loop.code : churn.code;
}

/** One scenario under each protocol: its question, and the comparison. */
async function job(
  context: Context,
  name: string,
  seconds: number | null,
): Promise<{ code: ExitCode; seconds: number }> {
  const scenario = await scenarioCalled(context, name);
  const protocolOptions = await optionsByProtocol(context.engine);
  const durationMs = seconds === null ? undefined : seconds * 1000;
  const plans = PROTOCOLS.map((protocol) =>
    scenario.buildPlan({
      protocol,
      protocolOptions,
      cpus: CPUS,
      seed: SEED,
      durationMs,
      parameters: {},
    }),
  );
  const words = ['run', name, '--protocol', PROTOCOLS.join(','), '--cpus', `${CPUS}`];
  if (seconds !== null) words.push('--duration', `${seconds}s`);
  const { result, code, failure } = await runCampaign(context, {
    plans,
    broken: null,
    command: commandText(words),
    deadlineMs: null,
  });
  if (result.runs.length > 0) {
    const { comparisonReport, textReport } = await import('#report/text');
    const render = code === EXIT.well ? comparisonReport : textReport;
    const options = await textOptions(context, result);
    context.io.stdout.write(render(result, { ...options, question: scenario.summary }));
  }
  if (failure !== null) throw failure;
  // A scenario's own phases are parts of main.
  const spent = result.runs
    .flatMap((run) => run.phases)
    .filter((phase) => WHOLE_PHASES.includes(phase.name))
    .reduce((sum, each) => sum + each.seconds, 0);
  return { code, seconds: spent };
}

const NEXT = `
Next:
  pttorture run churn --protocol pt-reclaim --cpus 8   races, locks and RCU in full
  pttorture run allocator-loop --json result.json      the same, as a document
  pttorture explore --broken no-pmd-recheck            a race found, shrunk and drawn
  pttorture list broken                                bugs to catch with --broken
  pttorture list                                       everything else there is
`;
