/**
 * The group `stepped`: what a step costs when all CPUs run as coroutines on this thread, by how
 * often another CPU goes on. Boot, the fair phase, the exit and the judges are in it.
 */
import { treeRoots } from '#derive/variants';
import { SteppedMachine } from '#explore/stepped-machine';
import { loadSteppedTree } from '#explore/stepped-tree';
import { RandomStrategy } from '#explore/strategies/random';
import type { Group, Variant } from './harness.ts';
import { planOf } from './simulator.ts';

/** Four entries per table, so that an execution is as short as those of a search. */
const PTRS_SHIFT = 2;
const EXECUTIONS = 300;
const SWITCHES_PERCENT = [1, 10, 100];

export const stepped: Group = {
  summary: 'a step of two CPUs that fault in and zap the same four pages, as a search takes it',
  async prepare({ ms }) {
    const tree = await loadSteppedTree((await treeRoots(null)).stepped);
    const hot = planOf('pt-reclaim', { mode: 'hot', cpus: 2 }, ms);
    const plan = {
      ...hot,
      ...{ ptrsShift: PTRS_SHIFT, levels: 3, gatherPages: 2, opsMax: 3 },
      regions: hot.regions.map((region) => ({ ...region, pages: 1 << PTRS_SHIFT })),
    };
    const machine = new SteppedMachine(tree, plan, {
      ...{ cpus: 2, ptrsShift: PTRS_SHIFT, levels: 3, backing: 'fixed', gatherPages: 2, batch: 1 },
      ...{ tables: 32, bodies: 48, pages: 32, vmas: 8 },
    });
    const variants = SWITCHES_PERCENT.map((percent) => variant(machine, percent));
    return { variants, figures: [], notes: [] };
  },
};

function variant(machine: SteppedMachine, percent: number): Variant {
  const strategy = new RandomStrategy(1, percent * 10_000);
  return {
    name: `step, ${percent} % switches`,
    unit: 'ns',
    sample() {
      const before = performance.now();
      let steps = 0;
      for (let execution = 0; execution < EXECUTIONS; execution++)
        steps += machine.execute(strategy, execution).history.steps;
      return ((performance.now() - before) * 1e6) / steps;
    },
  };
}
