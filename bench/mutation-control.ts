/**
 * The negative control of mutation testing, and what is learnt from it: each case in one slice on
 * the living source is silent, and meanwhile V8 notes which code its executions pass. A mutation is
 * tried only on cases that pass its place.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Mutation } from '#derive/mutations';
import { treeRoots } from '#derive/variants';
import { OUTCOMES } from '#explore/outcomes';
import { explorationPlan } from '#explore/search';
import { geometryFor } from '#explore/smaller/small-geometry';
import { SteppedMachine } from '#explore/stepped-machine';
import { loadSteppedTree, type SteppedTree } from '#explore/stepped-tree';
import { makeStrategy } from '#explore/strategies/registry';
import type { MutationCase } from './mutation-cases.ts';

export interface Control {
  readonly of: MutationCase;
  readonly executions: number;
  /** How many executions had each outcome, by its bit's number. */
  readonly seen: readonly number[];
  /** Violations and errors; there should be none. */
  readonly complaints: readonly string[];
  /** How often the place of each mutation was passed, in the order in which they were given. */
  readonly passes: Float64Array;
}

export const STRATEGIES = ['pos', 'random'] as const;

/** Of each strategy. */
const EXECUTIONS = 40;

interface Place {
  readonly url: string;
  readonly offset: number;
}

export async function runControls(
  cases: readonly MutationCase[],
  mutations: readonly Mutation[],
): Promise<Control[]> {
  // Optimised code does not count how often a function is called.
  setFlagsFromString('--no-opt');
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const { stepped } = await treeRoots(null);
  const tree = await loadSteppedTree(stepped);
  const places = mutations.map((mutation) => placeOf(mutation, stepped));
  const controls: Control[] = [];
  for (const of of cases) controls.push(await runControl(of, tree, session, places));
  session.disconnect();
  setFlagsFromString('--opt');
  return controls;
}

/** Boot is not counted: in it nobody meets anybody. */
async function runControl(
  of: MutationCase,
  tree: SteppedTree,
  session: Session,
  places: readonly Place[],
): Promise<Control> {
  const plan = explorationPlan(of.plan, of.plan.seed);
  const machine = new SteppedMachine(tree, plan, geometryFor(plan));
  const seen: number[] = OUTCOMES.map(() => 0);
  const complaints: string[] = [];
  const begin = makeStrategy('random', { seed: 0 });
  try {
    machine.execute(begin, 0);
    await session.post('Profiler.takePreciseCoverage');
    for (const name of STRATEGIES) {
      const strategy = makeStrategy(name, { seed: plan.seed });
      for (let n = 0; n < EXECUTIONS; n++) {
        const { verdicts, outcomes } = machine.execute(strategy, n);
        complaints.push(...verdicts.map(({ kind, message }) => `${kind}: ${message}`));
        for (const bit of seen.keys()) seen[bit]! += (outcomes >> bit) & 1;
      }
    }
  } catch (error) {
    complaints.push(String(error));
  }
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const passes = passesOf(places, result);
  return { of, executions: EXECUTIONS * STRATEGIES.length, seen, complaints, passes };
}

type Coverage = Awaited<ReturnType<typeof coverageOf>>['result'];

function coverageOf(session: Session) {
  return session.post('Profiler.takePreciseCoverage');
}

/** The count of the innermost range around each place. */
function passesOf(places: readonly Place[], coverage: Coverage): Float64Array {
  const scripts = new Map(coverage.map((script) => [script.url, script]));
  return Float64Array.from(places, ({ url, offset }) => {
    let count = 0;
    let size = Number.POSITIVE_INFINITY;
    for (const { ranges } of scripts.get(url)?.functions ?? [])
      for (const { startOffset, endOffset, count: passed } of ranges) {
        if (offset < startOffset || offset >= endOffset || endOffset - startOffset > size) continue;
        size = endOffset - startOffset;
        count = passed;
      }
    return count;
  });
}

/** Where a mutation's line is in the stepped form, in which each line is the line that it was. */
function placeOf({ path, line }: Mutation, stepped: URL): Place {
  const url = new URL(path, stepped).href;
  const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return { url, offset: before + lines[line - 1]!.search(/\S/) };
}
