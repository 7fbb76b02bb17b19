/**
 * Which plans are held against the live kernel: shipped scenarios and the like, their operations
 * one after another on one CPU, and cut down to what the machine can hold.
 */
import { formatSize, PAGE_SIZE_BYTES, parseSize } from '#base/units';
import { type Comparison, comparePlan, type Peers, TooLarge } from '#live/compare';
import { isExecutable } from '#live/execute';
import { X86_64 } from '#live/kernel-peer';
import { formatCount, formatCounted, formatKiB } from '#report/format';
import type { Compared, LeftOut } from '#result/validation';
import type { PlanRequest } from '#scenario/build-plan';
import { inTurns } from '#scenario/linear';
import type { Op, Plan } from '#scenario/plan';
import { showOp } from '#scenario/written-op';
import type { LoadedScenario } from './engine.ts';

/** Operations between two checkpoints of a scenario. */
const EVERY = 32;

/** What is the same for all plans of one command. */
export interface Validating {
  readonly peers: Peers;
  readonly request: Omit<PlanRequest, 'parameters'>;
  /** Operations between two checkpoints; null: 32, and more where a plan is long. */
  readonly every: number | null;
  readonly rssMaxKiB: number;
  readonly signal: AbortSignal;
}

/** The parameter of a scenario that divides all of its sizes. */
const DIVISOR = 'scale';
const PAGE_SIZE_KIB = PAGE_SIZE_BYTES / 2 ** 10;
/** Operations of one plan at most. */
const OPERATIONS_MAX = 120_000;
/** Pages that may be touched between two checkpoints, after which resident memory is looked at. */
const SLACK_PAGES = 1 << 16;
/** Flags that change nothing for what is compared, or the same on both sides. */
const NEUTRAL_FLAGS: ReadonlySet<string> = new Set(['pt-scan', 'noreserve']);
/** Sizes are not cut to less. */
const SIZE_MIN_BYTES = 4 << 20;

/** The scenario compared, or why it is not. */
export async function compareScenario(
  validating: Validating,
  scenario: LoadedScenario,
  parameters: Readonly<Record<string, string>>,
): Promise<Compared | LeftOut> {
  const { name } = scenario;
  for (let given: typeof parameters | null = parameters; given !== null; ) {
    const asked = scenario.buildPlan({ ...validating.request, parameters: given });
    const plan = ample(asked, validating.rssMaxKiB);
    const flags = plan.regions
      .flatMap((region) => region.flags)
      .filter((flag) => !NEUTRAL_FLAGS.has(flag));
    if (flags.length > 0) return { name, why: `its memory is ${flags.join(', ')}` };
    try {
      const compared = await compareOps(validating, plan, cutNotes(given, parameters));
      if (compared.operations > 0) return compared;
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
      formatCounted(OPERATIONS_MAX, 'operation'),
  };
}

/**
 * The plan on a machine as this one is: with the tables of x86-64 and enough memory, and nothing
 * left to chance.
 */
function ample(plan: Plan, rssMaxKiB: number): Plan {
  const chances = { reschedPerMillion: 0, allocFailPerMillion: 0, noise: 0 };
  const geometry = { ...X86_64, tableFrames: 0 };
  // More than there is may be mapped, if Linux is not to set it aside.
  const isLarge = pagesOf(plan) * PAGE_SIZE_KIB > rssMaxKiB;
  const regions = plan.regions.map((region) =>
    isLarge ? { ...region, flags: [...region.flags, 'noreserve' as const] } : region,
  );
  const pageFrames = framesFor(plan, rssMaxKiB);
  return { ...plan, ...chances, ...geometry, regions, pageFrames };
}

function framesFor(plan: Plan, rssMaxKiB: number): number {
  return Math.min(pagesOf(plan), Math.ceil(rssMaxKiB / PAGE_SIZE_KIB) + SLACK_PAGES);
}

function pagesOf({ regions }: Plan): number {
  return regions.reduce((sum, region) => sum + region.pages, 0);
}

async function compareOps(
  { peers, every, rssMaxKiB, signal }: Validating,
  plan: Plan,
  notes: string[],
): Promise<Compared> {
  const dropped = new Map<string, number>();
  const machine = { ...plan, cpus: 1, setup: [], columns: [[]] };
  const comparison: Comparison = {
    ...{ plan: machine, name: plan.scenario, notes, rssMaxKiB, signal },
    ...{ every: every ?? EVERY, thins: every === null },
    operationsMax: OPERATIONS_MAX,
    *ops() {
      dropped.clear();
      for (const op of inTurns(plan)) {
        if (isExecutable(op)) yield op;
        else dropped.set(kindOf(op), (dropped.get(kindOf(op)) ?? 0) + 1);
      }
    },
    show: (op) => showOp(op, plan.regions),
  };
  const compared = await comparePlan(peers, comparison);
  const left = [...dropped].map(([kind, count]) => `${formatCount(count)} ${kind}`);
  const said = left.length === 0 ? [] : [`left out on both sides: ${left.join(', ')}`];
  const turns = plan.cpus > 1 ? [`${plan.cpus} columns in turn, on one CPU`] : [];
  return { ...compared, notes: [...notes, ...turns, ...said] };
}

function kindOf(op: Op): string {
  if (op.op === 'walk') return `walks of ${op.walker}`;
  return op.op === 'madvise' ? op.advice : op.op;
}

function cutNotes(
  given: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): string[] {
  const cut = Object.entries(given).filter(([name, value]) => asked[name] !== value);
  return cut.map(([name, value]) => `${name}=${value}`);
}

/**
 * Sizes of more than a few tables to a quarter, and a divisor of all sizes times four; null: there
 * is nothing to cut.
 */
function cutDown(
  settings: LoadedScenario['parameters'],
  given: Readonly<Record<string, string>>,
): Record<string, string> | null {
  const cut: Record<string, string> = { ...given };
  for (const { name, default: usual } of settings) {
    const value = given[name] ?? String(usual);
    if (name === DIVISOR) cut[name] = String(4 * Number(value));
    else if (/iB$/.test(value) && parseSize(value) >= 4 * SIZE_MIN_BYTES)
      cut[name] = formatSize(Math.floor(parseSize(value) / 4 / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES);
  }
  return Object.keys(cut).some((name) => cut[name] !== given[name]) ? cut : null;
}
