/**
 * A plan whose columns run at once, each on a thread of its own, on the live kernel and in the
 * simulator. The two can agree only where the end does not depend on who was first: so no two
 * columns may work on the same table. They are compared once all is quiet.
 */
import { isSameReading, type Reading } from '#result/reading';
import type { Compared } from '#result/validation';
import type { Op, Plan } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import type { KernelPeer } from './kernel-peer.ts';
import { askTwice } from './twice-alike.ts';
import { Watch } from './watch.ts';

export interface Race {
  readonly plan: Plan;
  readonly notes: string[];
  /** Linear operations: of the setup, and of each CPU. */
  readonly setup: readonly Op[];
  readonly columns: readonly (readonly Op[])[];
  /** The same in the simulator. */
  simulate(): Promise<Reading>;
}

/** How often the live kernel is asked again (twice-alike.ts). */
const TRIES_MAX = 6;

export async function compareThreads(
  kernel: Pick<KernelPeer, 'race'>,
  race: Race,
): Promise<Compared> {
  const { plan, setup, columns, notes } = race;
  const simulated = await race.simulate();
  return askTwice(TRIES_MAX, async () => {
    const { readings, isStill } = await kernel.race(plan, setup, columns);
    const live = readings[0]!;
    const operations = setup.length + columns.reduce((sum, ops) => sum + ops.length, 0);
    const end = { operation: operations, text: 'the end', kernel: live, simulator: simulated };
    const difference = { ...end, history: [{ ...end, watched: [] }], isSettled: true };
    const compared: Compared = {
      ...{ name: plan.scenario, operations, checkpoints: 1, threads: columns.length, notes },
      ...{ vmptePeakKiB: live.vmpteKiB, rssPeakKiB: live.rssKiB },
      difference: isSameReading(live, simulated) ? null : difference,
    };
    return { compared, isStill };
  });
}

/** Two columns that work on the same table, by their numbers; null: there are none. */
export function sharers(plan: Plan, columns: readonly (readonly Op[])[]): [number, number] | null {
  const owners = new Map<number, number>();
  for (const [cpu, ops] of columns.entries()) {
    const watch = new Watch(regionStarts(plan), Number.POSITIVE_INFINITY);
    for (const op of ops) watch.note(op);
    for (const { page, pages } of watch.take()) {
      const last = Math.floor((page + pages - 1) / 2 ** plan.ptrsShift);
      for (let slot = Math.floor(page / 2 ** plan.ptrsShift); slot <= last; slot++) {
        const owner = owners.get(slot) ?? cpu;
        if (owner !== cpu) return [owner, cpu];
        owners.set(slot, cpu);
      }
    }
  }
  return null;
}
