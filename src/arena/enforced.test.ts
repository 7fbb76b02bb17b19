/** Facts about the enforced gate that only a rare moment on real threads would show. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bindArena } from './arena.ts';
import { EnforcedGate, makeOrder, ORDER, OUTCOME } from './enforced.ts';
import type { CpuRef } from './gate.ts';
import { arenaMap, type Geometry } from './map.ts';
import type { Words } from './word.ts';

const GEOMETRY: Geometry = {
  ...{ cpus: 2, ptrsShift: 3, levels: 4, tables: 4, bodies: 4, pages: 8, vmas: 4 },
  ...{ gatherPages: 4, batch: 2, backing: 'fixed' },
};

let order: Words;
let cpu: CpuRef;

beforeEach(() => {
  const map = bindArena(new SharedArrayBuffer(4 * arenaMap(GEOMETRY).sizeWords), GEOMETRY, 0);
  order = makeOrder(2, new Int32Array(0), new Int32Array(0), 100, true, false);
  cpu = { id: 0, block: map.percpu };
});

afterEach(() => {
  vi.restoreAllMocks();
});

test('all columns have ended, whoever of two that end at once is counted last', () => {
  const { add } = Atomics;
  vi.spyOn(Atomics, 'add').mockImplementation(((words: Words, at: number, by: number) => {
    const before = add(words, at, by);
    // The other CPU ends between the two counts of this one.
    if (at === ORDER.ended) for (const each of [at, ORDER.arrived]) add(words, each, 1);
    return before;
  }) as typeof Atomics.add);
  new EnforcedGate(order).leaveHostile(cpu);
  expect([order[ORDER.ended], order[ORDER.outcome]]).toEqual([2, OUTCOME.ended]);
});
