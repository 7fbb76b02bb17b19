/**
 * The pairwise stress: `npm run pairwise -- [--slice 20s] [--protocols NAMES] [--scenarios NAMES]
 * [--seed N] [--json FILE]`. Every protocol in every racing scenario, on six machines that between
 * them show every pair of settings: 2 or 8 CPUs, split locks or one, noise or none, a gather of one
 * page or a full one, failing allocations or none. Ends with a line of counts, and 1 on a
 * violation.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseDuration } from '#base/units';
import { UserError } from '#base/user-error';
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { PROTOCOLS } from '#reclaim/registry';
import { formatSeconds, formatShort } from '#report/format';
import type { Run } from '#result/result';
import { buildPlan, type PlanRequest } from '#scenario/build-plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { MACHINES, type PairwiseMachine, wordsOf } from './covering.ts';
import { parseFlags } from './flags.ts';
import { print, runProgram } from './program.ts';
import { inPackage } from './root.ts';

const NAMES = PROTOCOLS.map(({ name }) => name);
const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));
/** The scenarios in which operations race; the others ask for figures. */
const RACING = ['churn', 'walkers-vs-reclaim'];
const GRACE_MS = 120_000;

interface Slice {
  readonly scenario: string;
  readonly protocol: string;
  readonly machine: PairwiseMachine;
  readonly exit: string;
  readonly messages: readonly string[];
}

async function main(): Promise<number> {
  const { values, positionals } = parseFlags(process.argv.slice(2), [
    'slice',
    'protocols',
    'scenarios',
    'seed',
    'json',
  ]);
  if (positionals.length > 0) throw new UserError(`"${positionals[0]}" is not expected here`);
  const sliceMs = parseDuration(values.slice ?? '20s');
  const protocols = chosen('--protocols', values.protocols, NAMES);
  const scenarios = (values.scenarios ?? RACING.join(',')).split(',').map(readScenario);
  const seed = Number(values.seed ?? 1);
  if (!Number.isInteger(seed) || seed < 0) throw new UserError('--seed takes a whole number');
  const slices: Slice[] = [];
  for (const scenario of scenarios)
    for (const [i, machine] of MACHINES.entries())
      for (const protocol of protocols) {
        const slice = await runSlice(scenario, protocol, machine, seed + i, sliceMs);
        slices.push(slice);
        if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(slices, null, 2));
      }
  const bad = slices.filter(({ exit }) => exit !== 'pass').length;
  print(`${slices.length} runs, ${slices.length - bad} passed, ${bad} did not`);
  return bad === 0 ? 0 : 1;
}

async function runSlice(
  scenario: Scenario,
  protocol: string,
  machine: PairwiseMachine,
  seed: number,
  durationMs: number,
): Promise<Slice> {
  const request: PlanRequest = {
    ...machine,
    protocol,
    seed,
    durationMs,
    parameters: {},
    protocolOptions: OPTIONS,
  };
  const what = `${scenario.name} --protocol ${protocol} --seed ${seed}`;
  const command = `pttorture run ${what} ${wordsOf(machine)}`;
  let exit = 'failed';
  let messages: string[];
  let line: string;
  try {
    const plan = buildPlan(scenario, request);
    const run = await runPlan(plan, { judges: JUDGES, deadlineMs: durationMs + GRACE_MS });
    exit = run.exit;
    messages = [
      ...run.violations.map(({ kind, message }) => `${kind}: ${message}`),
      ...noteOf(run),
    ];
    line = `${formatSeconds(run.seconds)}, ${formatShort(run.pages.faulted)} faults`;
  } catch (error) {
    messages = [error instanceof Error ? error.message : String(error)];
    line = 'no result';
  }
  print(`${exit.padEnd(9)} ${command}: ${line}`);
  for (const message of messages) print(`          ${message}`);
  return { scenario: scenario.name, protocol, machine, exit, messages };
}

function noteOf({ note }: Run): string[] {
  return note === null ? [] : [note];
}

function readScenario(name: string): Scenario {
  const path = inPackage('scenarios', `${name}.yaml`);
  try {
    return parseScenario({ path, text: readFileSync(path, 'utf8') });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UserError(`--scenarios: there is no scenario "${name}"; see pttorture list`);
  }
}

function chosen(flag: string, given: string | undefined, known: readonly string[]): string[] {
  const names = given?.split(',') ?? [...known];
  for (const name of names)
    if (!known.includes(name))
      throw new UserError(`${flag}: no "${name}"; there are ${known.join(', ')}`);
  return names;
}

await runProgram('pairwise', main);
