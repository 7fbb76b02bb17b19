/** `pttorture validate`: the same plans on the live kernel and in the simulator. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import { type BrokenVersion, lineEditOf } from '#catalogue/broken-version';
import type { Peers } from '#live/compare';
import type { Kernel } from '#live/kernel';
import { Interrupted } from '#live/peer';
import type { Compared, LeftOut, RandomPlans, Validation } from '#result/validation';
import { commandText } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import type { Engine, LoadedScenario } from './engine.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { integerFlag, settingFlag } from './flags.ts';
import type { PendingFile } from './io.ts';
import { openJsonOutput } from './json-output.ts';
import { printValidation } from './print-report.ts';
import { countLine } from './progress.ts';
import { brokenCalled, optionsByProtocol, scenarioCalled } from './scenario-choice.ts';
import type { Validating } from './validate-plans.ts';

export function addValidate(program: Command, context: Context, act: Act): void {
  program
    .command('validate')
    .description("hold the simulator against this machine's own kernel: page tables and RSS")
    .argument('[scenario]', 'a scenario (see list) or a path; left out: all that can be compared')
    .option('--random <n>', 'so many plans made at random instead', integerFlag('--random', 1))
    .option(
      '--operations <n>',
      'of a random plan (default: 30)',
      integerFlag('--operations', 1, 1000),
    )
    .option('--every <n>', 'operations between two checkpoints', integerFlag('--every', 1))
    .option('--cpus <n>', 'columns of the scenario', integerFlag('--cpus', 1))
    .option('--threads', 'columns at once, on threads; compared once all is quiet')
    .option('--seed <n>', 'seed of all chance', integerFlag('--seed', 0, 2 ** 31 - 1), 1)
    .option('--ops <n>', "rounds of the CPUs' loops", integerFlag('--ops', 1))
    .option('-p, --parameter <name=value>', 'set NAME of the scenario', settingFlag)
    .option('--protocol <name>', 'simulate it instead of the one that does as this kernel does')
    .option('--broken <name>', 'simulate a broken version (see list broken)')
    .option(
      '--save <file>',
      `where a random plan that differs goes, made smaller (default: ${SAVED})`,
    )
    .option('--format <name>', 'text or markdown', format, 'text')
    .option('--json <file>', 'write the document; - for stdout, and nothing else there')
    .action((scenario: string | undefined, options: ValidateOptions) =>
      act(() => validate(context, scenario, options)),
    );
}

const SAVED = 'difference.yaml';
const OPERATIONS = 30;

function format(name: string): 'text' | 'markdown' {
  return choose('format', name, ['text', 'markdown'] as const);
}

interface ValidateOptions {
  readonly random?: number;
  readonly operations?: number;
  readonly every?: number;
  readonly cpus?: number;
  readonly threads?: boolean;
  readonly seed: number;
  readonly ops?: number;
  readonly parameter?: Readonly<Record<string, string>>;
  readonly protocol?: string;
  readonly broken?: string;
  readonly save?: string;
  readonly format: 'text' | 'markdown';
  readonly json?: string;
}

/** What random plans have no use for: they have one thread, no loops, and no parameters. */
const NOT_OF_RANDOM = ['threads', 'cpus', 'ops', 'parameter'] as const;
/** What only they have. */
const OF_RANDOM = ['operations', 'save'] as const;

/** Options that would say nothing beside the others. */
function checkFit(scenario: string | undefined, options: ValidateOptions): void {
  const isRandom = options.random !== undefined;
  if (scenario !== undefined && isRandom)
    throw new UserError('--random makes its own plans; give a scenario or --random');
  const unfit = NOT_OF_RANDOM.find((name) => options[name] !== undefined);
  if (unfit !== undefined && isRandom)
    throw new UserError(
      `--random makes plans of one thread, without loops or parameters; leave out --${unfit}`,
    );
  const unused = OF_RANDOM.find((name) => options[name] !== undefined);
  if (unused !== undefined && !isRandom)
    throw new UserError(`--${unused} is of plans made at random; give --random`);
  if (options.threads && options.every !== undefined)
    throw new UserError('--threads compares once all is quiet; leave out --every');
}

async function validate(
  context: Context,
  scenario: string | undefined,
  options: ValidateOptions,
): Promise<ExitCode> {
  checkFit(scenario, options);
  const broken = await brokenCalled(context, options.broken);
  // Before anything is started: what does not exist is known at once.
  const named = scenario === undefined ? null : await scenarioCalled(context, scenario);
  const began = performance.now();
  const json = options.json === undefined ? null : openJsonOutput(context.io, options.json);
  let saved: PendingFile | null = null;
  let session: Session | null = null;
  try {
    if (options.random !== undefined) saved = context.io.openPending(options.save ?? SAVED);
    session = await openSession(context, broken, options);
    const { plans, leftOut, random } = await compareAll(context, session, named, options);
    const { io, signal, words } = context;
    const validation: Validation = {
      ...{ pttorture: io.version, schema: 1, kind: 'validation', command: commandText(words) },
      ...{ machine: io.machine, date: new Date().toISOString().slice(0, 10) },
      ...{ kernel: session.kernel, protocol: session.protocol, broken: broken?.name ?? null },
      ...{ seed: options.seed, seconds: Math.round(performance.now() - began) / 1000 },
      ...{ plans, random, leftOut, isInterrupted: signal.aborted },
    };
    if (options.json !== '-') await print(context, validation, options.format);
    json?.write(validation);
    const shrunk = random?.shrunk ?? null;
    if (shrunk !== null) {
      saved?.commit(shrunk.scenario);
      const path = options.save ?? SAVED;
      io.stderr.write(`saved as ${path}: ${againText(path, options)}\n`);
    }
    return exitCode(validation);
  } finally {
    json?.discard();
    saved?.discard();
    await session?.close();
  }
}

interface Session {
  readonly kernel: Kernel;
  readonly protocol: string;
  readonly validating: Validating;
  close(): Promise<void>;
}

/** Both peers, and what is common to all plans. */
async function openSession(
  context: Context,
  broken: BrokenVersion | null,
  options: ValidateOptions,
): Promise<Session> {
  const { KernelPeer } = await import('#live/kernel-peer');
  const { describeKernel, protocolOf } = await import('#live/kernel');
  const { LoneMachine } = await import('#machine/lone-machine');
  const { SimulatedPeer } = await import('./simulated-peer.ts');
  const edit = broken === null ? null : lineEditOf(broken);
  if (broken !== null && edit === null)
    throw new UserError(`"${broken.name}" is a setting, not an edit; validate takes edits only`);
  const entry = edit === null ? undefined : await context.engine.prepareBroken(edit);
  const protocolOptions = await optionsByProtocol(context.engine);
  const named =
    options.protocol === undefined
      ? undefined
      : choose('protocol', options.protocol, Object.keys(protocolOptions));
  const live = await KernelPeer.start(options.random === undefined ? 'long' : 'short');
  const kernel = await describeKernel(() => live.reclaims());
  const protocol = named ?? broken?.protocol ?? protocolOf(kernel);
  const peers: Peers = {
    kernel: live,
    simulator: new SimulatedPeer(await LoneMachine.load(entry), signalOf(context, options)),
  };
  signalOf(context, options)?.addEventListener('abort', () => live.stop());
  return {
    ...{ kernel, protocol },
    validating: {
      ...{ peers, kernel: live, run: runOf(context.engine, entry) },
      ...{ every: options.every ?? null, rssMaxKiB: rssMaxKiB(), signal: context.signal },
      request: {
        ...{ protocol, protocolOptions, seed: options.seed },
        ...{ ops: options.ops, cpus: options.cpus },
      },
    },
    close: () => live.close(),
  };
}

/** What ends a plan midway; null: a random plan is short, and counts once it is done. */
function signalOf({ signal }: Context, { random }: ValidateOptions): AbortSignal | null {
  return random === undefined ? signal : null;
}

/** Runs plans on threads, by the module `entry` if there is one. */
function runOf(engine: Engine, entry: string | undefined): Engine['run'] {
  return entry === undefined ? engine.run : (plan, hooks) => engine.run(plan, { ...hooks, entry });
}

/** What plans may have of memory: half of what there is, and no more than takes seconds. */
function rssMaxKiB(): number {
  return Math.min(process.availableMemory() / 2, 2 ** 30) / 2 ** 10;
}

interface All {
  readonly plans: Compared[];
  readonly leftOut: LeftOut[];
  readonly random: RandomPlans | null;
}

async function compareAll(
  context: Context,
  { validating }: Session,
  named: LoadedScenario | null,
  options: ValidateOptions,
): Promise<All> {
  const line = countLine(context.io.stderr);
  try {
    if (options.random !== undefined) {
      const { compareRandomPlans } = await import('./validate-random.ts');
      const random = await compareRandomPlans(context, validating, {
        ...{ plans: options.random, operations: options.operations ?? OPERATIONS },
        seed: options.seed,
        onPlan: (plans) => line.show('random plans', plans, options.random!),
      });
      return { plans: [], leftOut: [], random };
    }
    const { atOnce, compareScenario, inTurn } = await import('./validate-plans.ts');
    const one = (scenario: LoadedScenario): Promise<Compared | LeftOut | null> => {
      const compare = options.threads ? atOnce : inTurn;
      const comparing = compareScenario(validating, scenario, options.parameter ?? {}, compare);
      return comparing.catch(unlessInterrupted);
    };
    if (named !== null) {
      line.show(named.name, 0, 1);
      const outcome = await one(named);
      if (outcome === null) return { plans: [], leftOut: [], random: null };
      if ('checkpoints' in outcome) return { plans: [outcome], leftOut: [], random: null };
      throw new UserError(`"${outcome.name}" cannot be compared: ${outcome.why}`);
    }
    const outcomes: (Compared | LeftOut)[] = [];
    const names = [...(await context.engine.scenarioNames())].sort();
    for (const [i, name] of names.entries()) {
      if (context.signal.aborted) break;
      line.show(name, i, names.length);
      const outcome = await scenarioCalled(context, name).then(one).catch(whyNot(name));
      if (outcome !== null) outcomes.push(outcome);
    }
    const plans = outcomes.filter((outcome) => 'checkpoints' in outcome);
    const leftOut = outcomes.filter((outcome) => 'why' in outcome);
    return { plans, leftOut, random: null };
  } finally {
    line.clear();
  }
}

/** A plan that was ended midway has no outcome. */
function unlessInterrupted(error: unknown): null {
  if (error instanceof Interrupted) return null;
  throw error;
}

/** Of all scenarios, those that cannot run as asked are left out. */
function whyNot(name: string): (error: unknown) => LeftOut {
  return (error) => {
    if (error instanceof UserError) return { name, why: error.message };
    throw error;
  };
}

async function print(
  context: Context,
  validation: Validation,
  how: 'text' | 'markdown',
): Promise<void> {
  if (how === 'text') return printValidation(context, validation);
  const { validationMarkdown } = await import('#report/validation');
  context.io.stdout.write(validationMarkdown(validation));
}

/** How the saved plan is compared again: with the same simulator. */
function againText(path: string, { protocol, broken }: ValidateOptions): string {
  const words = ['validate', path, '--every', '1'];
  if (protocol !== undefined) words.push('--protocol', protocol);
  if (broken !== undefined) words.push('--broken', broken);
  return commandText(words);
}

async function exitCode(validation: Validation): Promise<ExitCode> {
  const { validationTotals } = await import('#result/validation');
  if (validationTotals(validation).differences > 0) return EXIT.found;
  return validation.isInterrupted ? EXIT.interrupted : EXIT.well;
}
