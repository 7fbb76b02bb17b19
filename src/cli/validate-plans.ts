/**
 * Which plans are held against the live kernel: shipped scenarios and the like, their operations
 * one after another on one CPU, and cut down to what the machine can hold.
 */
import { type Comparison, comparePlan, type Peers, TooLarge } from '#live/compare';
import { compareThreads, sharers } from '#live/compare-threads';
import { isExecutable } from '#live/execute';
import type { KernelPeer } from '#live/kernel-peer';
import { Interrupted } from '#live/peer';
import { Watch } from '#live/watch';
import { formatCount, formatCounted, formatKiB } from '#report/format';
import type { Compared, LeftOut } from '#result/validation';
import type { PlanRequest } from '#scenario/build-plan';
import { inTurns, linearOps } from '#scenario/linear';
import type { Op, Plan } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import { showOp } from '#scenario/written-op';
import type { Engine, LoadedScenario } from './engine.ts';
import { ample, cutDown, cutNotes, PAGE_SIZE_KIB } from './live-plan.ts';
import { HALTED } from './simulated-peer.ts';

/** Operations between two checkpoints of a scenario. */
const EVERY = 32;

/** What is the same for all plans of one command. */
export interface Comparing {
  readonly peers: Peers;
  readonly request: Omit<PlanRequest, 'parameters'>;
  /** Operations between two checkpoints; null: 32, and more where a plan is long. */
  readonly every: number | null;
  readonly rssMaxKiB: number;
  readonly signal: AbortSignal;
}

export interface Validating extends Comparing {
  readonly kernel: KernelPeer;
  /** Runs a plan on threads. */
  readonly run: Engine['run'];
}

/** Operations of one plan at most, and of each of its columns where those run at once. */
const OPERATIONS_MAX = 120_000;
const THREAD_OPERATIONS_MAX = 10_000;
/** Flags that change nothing for what is compared, or the same on both sides. */
const NEUTRAL_FLAGS: ReadonlySet<string> = new Set(['pt-scan', 'noreserve']);

/** One plan compared, or why it is not. May throw `TooLarge`. */
type ComparePlan = (
  validating: Validating,
  scenario: LoadedScenario,
  plan: Plan,
  notes: string[],
) => Promise<Compared | LeftOut>;

/** The scenario compared, its columns `inTurn` or `atOnce`; or why it is not. */
export async function compareScenario(
  validating: Validating,
  scenario: LoadedScenario,
  parameters: Readonly<Record<string, string>>,
  compare: ComparePlan,
): Promise<Compared | LeftOut> {
  const { name } = scenario;
  for (let given: typeof parameters | null = parameters; given !== null; ) {
    const asked = scenario.buildPlan({ ...validating.request, parameters: given });
    const isTrace = scenario.operations !== undefined;
    const plan = isTrace ? asked : ample(asked, validating.rssMaxKiB);
    const flags = plan.regions
      .flatMap((region) => region.flags)
      .filter((flag) => !NEUTRAL_FLAGS.has(flag));
    if (flags.length > 0) return { name, why: `its memory is ${flags.join(', ')}` };
    try {
      const compared = await compare(validating, scenario, plan, cutNotes(given, parameters));
      if ('why' in compared || compared.operations > 0) return compared;
      return { name, why: 'it has no operation that the live kernel can be asked to do' };
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      given = cutDown(scenario.parameters, given);
    }
  }
  return {
    name,
    why:
      `it needs more than ${formatKiB(validating.rssMaxKiB)} of memory or ` +
      (compare === atOnce
        ? `${formatCounted(THREAD_OPERATIONS_MAX, 'operation')} of a column`
        : formatCounted(OPERATIONS_MAX, 'operation')),
  };
}

/** All columns on one CPU, one operation of each after another; a trace in recorded order. */
export async function inTurn(
  { peers, every, rssMaxKiB, signal }: Validating,
  scenario: LoadedScenario,
  plan: Plan,
  notes: string[],
): Promise<Compared> {
  const dropped = new Map<string, number>();
  const machine = { ...plan, cpus: 1, setup: [], columns: [[]] };
  const comparison: Comparison = {
    ...{ plan: machine, name: plan.scenario, notes, rssMaxKiB, signal },
    ...{ every: every ?? EVERY, thins: every === null },
    operationsMax: OPERATIONS_MAX,
    ops: executable(scenario.operations?.() ?? inTurns(plan), dropped),
    show: (op) => showOp(op, plan.regions),
  };
  const compared = await comparePlan(peers, comparison);
  const { recording } = scenario;
  const isAlone = (recording?.threads ?? plan.cpus) === 1;
  const turns =
    recording === undefined
      ? `${plan.cpus} columns in turn, on one CPU`
      : `${recording.threads} threads in recorded order, on one CPU`;
  return { ...compared, notes: [...notes, ...(isAlone ? [] : [turns]), ...droppedNotes(dropped)] };
}

/** The columns at once, each on a thread of its own; compared when all is quiet. */
export async function atOnce(
  { kernel, rssMaxKiB, signal, run }: Validating,
  scenario: LoadedScenario,
  plan: Plan,
  notes: string[],
): Promise<Compared | LeftOut> {
  const { name } = scenario;
  if (plan.cpus === 1) return { name, why: 'it has one column only' };
  if (scenario.operations !== undefined) return { name, why: 'its threads share tables' };
  const dropped = new Map<string, number>();
  const setup = [...executable(linearOps({ ...plan, columns: [] }, 0), dropped)];
  const columns = plan.columns.map((_, cpu) => [
    ...limited(executable(linearOps({ ...plan, setup: [] }, cpu), dropped)),
  ]);
  const shared = sharers(plan, columns);
  if (shared !== null)
    return { name, why: `CPUs ${shared.join(' and ')} share tables: chance decides where it ends` };
  if (touchedKiB(plan, columns) > rssMaxKiB) throw new TooLarge();
  // Who writes a page is the plan's affair, not its owner's.
  const simulated: Plan = { ...plan, setup, columns, ownership: 'shared' };
  return compareThreads(kernel, {
    ...{ plan, setup, columns },
    notes: [
      ...notes,
      `${columns.length} threads at once, compared at quiescence`,
      ...droppedNotes(dropped),
    ],
    async simulate() {
      const { vmpteKiB, rssKiB, faults, exit } = await run(simulated, { signal });
      if (signal.aborted) throw new Interrupted();
      if (exit !== 'pass') return HALTED;
      const tables = vmpteKiB.end - vmpteKiB.start;
      return { vmpteKiB: tables, rssKiB: rssKiB.end, refused: faults.segv, present: [] };
    },
  });
}

/** Those that the live kernel can be asked to do; the others are counted. */
function* executable(ops: Iterable<Op>, dropped: Map<string, number>): Generator<Op> {
  for (const op of ops) {
    if (isExecutable(op)) yield op;
    else dropped.set(kindOf(op), (dropped.get(kindOf(op)) ?? 0) + 1);
  }
}

function* limited(ops: Iterable<Op>): Generator<Op> {
  let count = 0;
  for (const op of ops) {
    if (++count > THREAD_OPERATIONS_MAX) throw new TooLarge();
    yield op;
  }
}

/** What is touched by any of them. */
function touchedKiB(plan: Plan, columns: readonly (readonly Op[])[]): number {
  const watch = new Watch(regionStarts(plan), Number.POSITIVE_INFINITY);
  for (const op of columns.flat()) if (op.op === 'touch') watch.note(op);
  return watch.take().reduce((sum, { pages }) => sum + pages, 0) * PAGE_SIZE_KIB;
}

function droppedNotes(dropped: ReadonlyMap<string, number>): string[] {
  const left = [...dropped].map(([kind, count]) => `${formatCount(count)} ${kind}`);
  return left.length === 0 ? [] : [`left out on both sides: ${left.join(', ')}`];
}

function kindOf(op: Op): string {
  if (op.op === 'walk') return `walks of ${op.walker}`;
  return op.op === 'madvise' ? op.advice : op.op;
}
