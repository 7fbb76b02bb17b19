/** The group `rcu`: a read section in both forms, and the quiescent state that one of them uses. */
import type { Cpu } from '#arch/cpu';
import { configureRcu, rcuOffline, rcuQuiescent, rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import type { Figure, Group } from './harness.ts';
import { type Operations, operationVariants, serveOperations } from './operation.ts';

const QSBR = 'section, quiescent-state form';
const ANNOUNCED = 'section, announced';

const OPERATIONS: Operations = {
  [QSBR]: (cpu) => sectionOf(cpu),
  [ANNOUNCED]: (cpu) => {
    // In this form a CPU is offline between sections.
    rcuOffline(cpu);
    configureRcu(true);
    return sectionOf(cpu);
  },
  'quiescent state, nothing new': (cpu) => () => rcuQuiescent(cpu),
};

export const rcu: Group = {
  summary: 'an RCU read section entered and left by one CPU, no grace period wanted',
  prepare: (options) => ({
    variants: operationVariants(import.meta.url, OPERATIONS, options),
    figures: FIGURES,
    notes: [],
  }),
};

const FIGURES: readonly Figure[] = [
  { name: QSBR, of: QSBR, goal: { bound: 'at most', limit: 4 } },
  { name: ANNOUNCED, of: ANNOUNCED, goal: { bound: 'at most', limit: 30 } },
];

function sectionOf(cpu: Cpu): () => void {
  return () => {
    rcuReadLock(cpu);
    rcuReadUnlock(cpu);
  };
}

await serveOperations(OPERATIONS);
