/**
 * Mutation testing of the simulator's own judges: `npm run mutate -- [--seed N] [--count N]
 * [--budget 60s] [--only TEXT] [--out FILE] [--json FILE]`. Random edits of the modelled kernel,
 * each explored until a judge objects or the budget is spent. `--only` tries every mutation whose
 * id contains the text instead. Ends with a line of counts, and 1 when a survivor has no argument
 * or the living source is not silent.
 */
import { writeFileSync } from 'node:fs';
import { Prng } from '#base/prng';
import { parseDuration } from '#base/units';
import { UserError } from '#base/user-error';
import { drawMutations, findMutations, type Mutation } from '#derive/mutations';
import { packageRoot, readModules } from '#derive/tree';
import { treeRoots } from '#derive/variants';
import { parseFlags } from './flags.ts';
import { mutationCases } from './mutation-cases.ts';
import { type Control, runControls } from './mutation-control.ts';
import { type Campaign, lineOf, reportOf, summaryOf, tallyOf } from './mutation-report.ts';
import { casesPassing, type Trial, tryMutation } from './mutation-trial.ts';
import { Witness } from './mutation-witness.ts';
import { print, runProgram } from './program.ts';

const COUNT = 40;
const BUDGET = '60s';
/** The order of the cases is not drawn from what the mutations are. */
const ORDER_STREAM = 1;

async function main(): Promise<number> {
  const { values, positionals } = parseFlags(process.argv.slice(2), [
    'seed',
    'count',
    'budget',
    'only',
    'out',
    'json',
  ]);
  if (positionals.length > 0) throw new UserError(`"${positionals[0]}" is not expected here`);
  const seed = wholeNumber('--seed', values.seed ?? '1');
  const count = wholeNumber('--count', values.count ?? String(COUNT));
  const budgetMs = parseDuration(values.budget ?? BUDGET);
  const sites = findMutations(readModules(packageRoot()));
  const chosen = choose(sites, values.only, seed, count);
  const cases = shuffled(mutationCases(), new Prng(seed, ORDER_STREAM));
  const controls = await runControls(cases, chosen);
  const control = {
    executions: controls.reduce((sum, { executions }) => sum + executions, 0),
    complaints: controls.flatMap(({ of, complaints }) =>
      complaints.slice(0, 1).map((complaint) => `${of.name}: ${complaint}`),
    ),
  };
  print(`control: ${control.executions} executions of ${cases.length} cases`);
  for (const complaint of control.complaints) print(`control: ${complaint}`);
  const campaign = { seed, sites: sites.length, cases: cases.length, control, budgetMs };
  const trials = await tryAll(chosen, controls, budgetMs, (sofar) => {
    if (values.out !== undefined)
      writeFileSync(values.out, reportOf({ ...campaign, trials: sofar }));
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(sofar, null, 2));
  });
  print(summaryOf(trials));
  return tallyOf(trials).notArgued === 0 && control.complaints.length === 0 ? 0 : 1;
}

async function tryAll(
  chosen: readonly Mutation[],
  controls: readonly Control[],
  budgetMs: number,
  onTrial: (trials: Campaign['trials']) => void,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  const witness = new Witness((await treeRoots(null)).stepped.href);
  for (const [number, mutation] of chosen.entries()) {
    const trial = await tryMutation(mutation, casesPassing(controls, number), witness, budgetMs);
    trials.push(trial);
    print(lineOf(trial));
    onTrial(trials);
  }
  await witness.close();
  for (const saying of witness.doubtful) print(`not so in the living source: ${saying}`);
  return trials;
}

function choose(
  sites: readonly Mutation[],
  only: string | undefined,
  seed: number,
  count: number,
): Mutation[] {
  if (only === undefined) return drawMutations(sites, new Prng(seed), count);
  const chosen = sites.filter(({ id }) => id.includes(only));
  if (chosen.length === 0) throw new UserError(`--only ${only}: no mutation has that in its id`);
  return chosen;
}

function shuffled<T>(all: readonly T[], prng: Prng): T[] {
  const left = [...all];
  return all.map(() => left.splice(prng.below(left.length), 1)[0]!);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UserError(`${flag} takes a whole number`);
  return value;
}

await runProgram('mutate', main);
