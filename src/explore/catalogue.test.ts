/**
 * A sample of the catalogue, drawn by a seed: each broken version is found as the command line
 * would, by the oracle that it names, and without the flaw the same search is silent. All of it:
 * `pttorture explore --broken all`.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '#base/prng';
import { type BrokenVersion, CONTROL, lineEditOf } from '#catalogue/broken-version';
import { CATALOGUE } from '#catalogue/catalogue';
import { treeRoots } from '#derive/variants';
import { planOf } from './catalogue.suite.ts';
import { type Found, Search } from './search.ts';
import { loadSteppedTree } from './stepped-tree.ts';
import { isOfKind } from './wanted.ts';

const SEED = 1;
const SAMPLE = 12;
/** Far more than any of them needs. */
const EXECUTIONS_MAX = 20_000;
const CONTROL_EXECUTIONS = 300;
/** Takes tens of thousands of executions. */
const LONG = 'switch-back-remembered';
const STRATEGY = { name: 'pos' } as const;

describe('a broken version is found, and its twin is silent', () => {
  test.each(sample())('$bug $name', async (version) => {
    const found = await search(version, EXECUTIONS_MAX);
    expect(found?.kind).toBe(version.oracle);
    const { flaw: _flaw, edit: _edit, ...twin } = version;
    expect(await search(twin, CONTROL_EXECUTIONS)).toBe(null);
  });
});

function sample(): BrokenVersion[] {
  const rest = CATALOGUE.filter(({ bug, name }) => bug !== CONTROL && name !== LONG);
  const prng = new Prng(SEED);
  return Array.from({ length: SAMPLE }, () => rest.splice(prng.below(rest.length), 1)[0]!);
}

/** The first violation of the wanted kind, or else of any; null: there is none. */
async function search(version: BrokenVersion, executions: number): Promise<Found | null> {
  const { stepped } = await treeRoots(lineEditOf(version));
  const tree = await loadSteppedTree(stepped);
  const order = { plan: planOf(version), strategy: STRATEGY, lane: 0, lanes: 1 };
  const searched = new Search(tree, { ...order, executionsMax: executions });
  let other: Found | null = null;
  while (!searched.isOver()) {
    for (const found of searched.go(100)) {
      if (isOfKind(found.kind, version.oracle)) return found;
      other ??= found;
    }
  }
  return other;
}
