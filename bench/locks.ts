/**
 * The group `locks`: an uncontended spinlock pair by each algorithm, as the simulator uses it (held
 * locks noted, acquisitions counted), and the two accesses to the lock word alone.
 */

import type { Cpu } from '#arch/cpu';
import { CONTROL } from '#arena/layout/control';
import { compareExchange, storeAndWake } from '#arena/word';
import { configureSpinlocks, spinLock, spinUnlock } from '#sync/spinlock';
import { LOCK } from '#trace/vocabulary';
import type { Figure, Group } from './harness.ts';
import { type Operations, operationVariants, serveOperations } from './operation.ts';

const BARE = 'bare lock word';
const TORTURED = 1 << LOCK.torture;

/** Masks are of the classes that use the algorithm, as `configureSpinlocks` takes them. */
const OPERATIONS: Operations = {
  [BARE]: (cpu) => () => {
    compareExchange(cpu, CONTROL.torture, 0, 1);
    storeAndWake(cpu, CONTROL.torture, 0);
  },
  ttas: (cpu) => pairOf(cpu, 0, 0),
  ticket: (cpu) => pairOf(cpu, TORTURED, 0),
  mcs: (cpu) => pairOf(cpu, 0, TORTURED),
};

export const locks: Group = {
  summary: 'uncontended lock and unlock by one CPU',
  prepare: (options) => ({
    variants: operationVariants(import.meta.url, OPERATIONS, options),
    figures: FIGURES,
    notes: [],
  }),
};

const FIGURES: readonly Figure[] = [
  { name: 'pair, no statistics', of: BARE, goal: { bound: 'at most', limit: 30 } },
  { name: 'pair, with statistics', of: 'ttas', goal: { bound: 'at most', limit: 45 } },
  { name: 'ticket to ttas', of: 'ticket', over: 'ttas' },
  { name: 'mcs to ttas', of: 'mcs', over: 'ttas' },
];

function pairOf(cpu: Cpu, ticket: number, mcs: number): () => void {
  configureSpinlocks(ticket, mcs);
  return () => {
    spinLock(cpu, CONTROL.torture, LOCK.torture);
    spinUnlock(cpu, CONTROL.torture, LOCK.torture);
  };
}

await serveOperations(OPERATIONS);
