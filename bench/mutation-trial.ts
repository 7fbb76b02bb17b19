/**
 * One mutation on trial: slices of exploration on every case that passes its place, each round
 * longer than the one before, until something is found or the time has been spent. What finds it:
 *
 *     a violation    by any oracle
 *     an outcome     that the scenario says never, always or sometimes happens, and now does, does
 *                    not, or does not any more
 *     a crash        an assertion of the modelled kernel, or an error of the language
 *     a hang         a loop that passes no gate
 *     the build      the stepped form cannot be derived
 */
import { DerivationError } from '#derive/modules';
import type { Mutation } from '#derive/mutations';
import { ensureVariant } from '#derive/variants';
import type { Figures, Found } from '#explore/search';
import { Searchers } from '#explore/searchers';
import { type Control, STRATEGIES } from './mutation-control.ts';
import { addTo, NOTHING, type Tally, type Witness } from './mutation-witness.ts';

export interface Trial {
  readonly mutation: Mutation;
  /** By what, and in which case; null: it survived. */
  readonly found: { readonly by: string; readonly message: string; readonly on: string } | null;
  /** Cases that pass its place. */
  readonly cases: number;
  readonly executions: number;
  /** Of a processor. */
  readonly seconds: number;
}

type Finding = NonNullable<Trial['found']>;

/** Executions of each strategy in the first round of a case; each round has twice as many. */
const EXECUTIONS = 40;
const HANG_MS = 30_000;
/** Apart enough that no round draws a plan of another. */
const SEEDS_PER_ROUND = 1000;

export async function tryMutation(
  mutation: Mutation,
  controls: readonly Control[],
  witness: Witness,
  budgetMs: number,
): Promise<Trial> {
  const { id, path, before, after, occurrence } = mutation;
  const spent = { executions: 0, seconds: 0 };
  const cases = controls.length;
  const text = { path, text: before, occurrence };
  let searchers: Searchers | null = null;
  let found: Finding | null = null;
  try {
    const { stepped } = await ensureVariant({ name: id, becomes: after, text });
    searchers = new Searchers(1, stepped.href);
    found = await tryRounds(searchers, controls, witness, budgetMs, spent);
  } catch (error) {
    if (!(error instanceof DerivationError)) throw error;
    found = { by: 'build', message: error.problems[0]!.message, on: '' };
  } finally {
    await searchers?.close();
  }
  return { mutation, found, cases, ...spent };
}

async function tryRounds(
  searchers: Searchers,
  controls: readonly Control[],
  witness: Witness,
  budgetMs: number,
  spent: { executions: number; seconds: number },
): Promise<Finding | null> {
  const began = process.cpuUsage();
  const tallies = controls.map((): Tally => ({ ...NOTHING }));
  for (let round = 0; controls.length > 0; round++)
    for (const [i, control] of controls.entries())
      for (const name of STRATEGIES) {
        const tally = tallies[i]!;
        const found = await trySlice(searchers, control, witness, name, round, tally);
        const { user, system } = process.cpuUsage(began);
        spent.seconds = (user + system) / 1e6;
        spent.executions = tallies.reduce((sum, { executions }) => sum + executions, 0);
        if (found !== null) return found;
        if (spent.seconds * 1000 > budgetMs) return null;
      }
  return null;
}

async function trySlice(
  searchers: Searchers,
  control: Control,
  witness: Witness,
  name: (typeof STRATEGIES)[number],
  round: number,
  tally: Tally,
): Promise<Finding | null> {
  const { of } = control;
  const order = { plan: of.plan, strategy: { name }, executionsMax: EXECUTIONS << round };
  try {
    const { found, figures } = await searchWatched(searchers, order, round);
    addTo(tally, figures);
    const [first] = found;
    if (first !== undefined) {
      if (await witness.errs(control, tally.executions)) return null;
      return { by: first.kind, message: first.message, on: of.name };
    }
    const message = await witness.unmet(control, tally);
    return message === null ? null : { by: 'outcome', message, on: of.name };
  } catch (error) {
    const { name: kind, message } = error as Error;
    return { by: kind === 'Hang' ? 'hang' : 'crash', message: `${kind}: ${message}`, on: of.name };
  }
}

class Hang extends Error {
  override readonly name = 'Hang';
}

type Order = Parameters<Searchers['search']>[0];

/** One search, up to its first violation. Throws what the searcher throws, or a `Hang`. */
async function searchWatched(
  searchers: Searchers,
  order: Order,
  round: number,
): Promise<{ found: readonly Found[]; figures: Figures }> {
  let latest = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (performance.now() - latest > HANG_MS) reject(new Hang(`silent for ${HANG_MS / 1000} s`));
    }, 1000);
  });
  const seed = order.plan.seed + round * SEEDS_PER_ROUND;
  const search = searchers.search(
    { ...order, plan: { ...order.plan, seed } },
    {
      onProgress: () => {
        latest = performance.now();
      },
      onFound: () => true,
      signal: new AbortController().signal,
    },
  );
  // When the watch is over first, nobody asks any more.
  search.catch(() => {});
  try {
    const [reply] = await Promise.race([search, hangs]);
    return reply!;
  } finally {
    clearInterval(timer);
  }
}

/** The controls of the cases that pass the place of the mutation with this number. */
export function casesPassing(controls: readonly Control[], number: number): Control[] {
  return controls.filter(({ passes }) => passes[number]! > 0);
}
