/**
 * What the CPUs did last before something went wrong: of each the latest operations in its ring,
 * whether the last was still going on, and the slots that the facts are about. `explore --from`
 * makes a small scenario of them.
 */
import { CONTROL, PHASE } from '#arena/layout/control';
import { FACT_RECORD, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { LastAct, LastActs } from '#result/last-acts';
import type { Plan } from '#scenario/plan';
import { ACTS, actCountOf, actOf, actRegionOf, NO_REGION } from '#trace/act';
import { FACTS, type FactName } from '#trace/fact';
import { type DecodedEvent, mergeRings } from '#trace/ring';

/** Operations that are kept of each CPU. */
const ACTS_KEPT = 24;

/** Where a fact says what it is about: the slot, or the table, in which of its words. */
const PLACES: Readonly<Partial<Record<FactName, { slot?: Word; table?: Word }>>> = {
  frameMismatch: { table: 'a' },
  lostEntry: { table: 'a' },
  nonemptyUnhooked: { slot: 'd' },
  nonemptyFreed: { table: 'a' },
  lostData: { slot: 'a' },
  staleTranslation: { slot: 'a' },
  tableLeft: { slot: 'b' },
  referencesLeft: { table: 'a' },
  dontneedNotDone: { slot: 'a' },
  staleRemembered: { slot: 'a' },
  untruthfulError: { slot: 'b' },
};

type Word = 'a' | 'b' | 'd';

export function lastActs({ options }: Plan, words: Words, map: ArenaMap): LastActs {
  const blocks = blocksOf(map);
  const events = mergeRings(words, blocks);
  return {
    options,
    slots: words[CONTROL.facts] === 0 ? [] : slotsOfFacts(words, blocks, events),
    columns: blocks.flatMap((block, cpu) => {
      const ours = events.filter((each) => each.cpu === cpu && each.kind === 'operation');
      const acts = ours.slice(-ACTS_KEPT).map(decoded);
      return acts.length === 0 ? [] : [{ cpu, isInFlight: isInFlight(words, block), acts }];
    }),
  };
}

function blocksOf({ percpu, percpuWords, geometry }: ArenaMap): number[] {
  return Array.from({ length: geometry.cpus }, (_, cpu) => percpu + cpu * percpuWords);
}

/**
 * Where the main phase was not left. A CPU goes on to the number of its next operation as soon as
 * one is over.
 */
function isInFlight(words: Words, block: number): boolean {
  if (words[CONTROL.phase] !== PHASE.main) return false;
  return words[block + PERCPU.operation] === words[block + PERCPU.eventOperation];
}

function decoded({ kindWord, a, b }: DecodedEvent): LastAct {
  const region = actRegionOf(kindWord);
  return {
    act: ACTS[actOf(kindWord)]!,
    count: actCountOf(kindWord),
    region: region === NO_REGION ? null : region,
    page: a >>> 0,
    pages: b >>> 0,
  };
}

/** Of the first fact of each CPU, each slot once. */
function slotsOfFacts(
  words: Words,
  blocks: readonly number[],
  events: readonly DecodedEvent[],
): number[] {
  const slots = new Set<number>();
  for (const block of blocks) {
    if (words[block + PERCPU.factCount] === 0) continue;
    const at = block + PERCPU.facts;
    const place = PLACES[FACTS[words[at + FACT_RECORD.kind]!]!] ?? {};
    if (place.slot !== undefined) slots.add(words[at + FACT_RECORD[place.slot]]!);
    if (place.table === undefined) continue;
    const table = words[at + FACT_RECORD[place.table]]!;
    const hooked = events.findLast(
      ({ kind, a }) => (kind === 'hook' || kind === 'unhook') && a === table,
    );
    if (hooked !== undefined) slots.add(hooked.b);
  }
  return [...slots];
}
