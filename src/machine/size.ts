/** From a plan to the size of its machine. */
import type { Geometry } from '#arena/map';
import type { Plan } from '#scenario/plan';

/** VMAs that a run may have at a time. */
const VMAS = 1024;
/** Free frames that move at once. */
const BATCH = 128;
/** Table frames beyond what the regions need, per CPU: those that wait for a grace period. */
const DEFERRED_TABLES_PER_CPU = 1024;
/** Bodies of an on-demand machine: 2 GiB of them on x86-64. */
const ON_DEMAND_BODIES_MAX = 2 ** 20;

/** Kernel threads that `plan` asks for. */
export function kthreadsOf(plan: Plan): ('scanner' | 'rcu')[] {
  return plan.options['where'] === 'kthread' ? ['scanner', 'rcu'] : [];
}

export function sizeMachine(plan: Plan): Geometry {
  const cpus = plan.cpus + kthreadsOf(plan).length;
  const ptrs = 2 ** plan.ptrsShift;
  let pages = 0;
  let slots = 0;
  for (const region of plan.regions) {
    pages += region.pages;
    slots += Math.ceil(region.pages / ptrs) + 1;
  }
  const pmdTables = Math.ceil(slots / ptrs) + 2 * plan.regions.length + 2;
  const upper = pmdTables + 2 * plan.levels;
  const tables =
    plan.tableFrames || slots + upper + cpus * Math.min(slots, DEFERRED_TABLES_PER_CPU) + 64 * cpus;
  const bodies = tables + pmdTables + 64 * cpus + 1;
  return {
    cpus,
    ptrsShift: plan.ptrsShift,
    levels: plan.levels,
    tables,
    bodies: plan.backing === 'fixed' ? bodies : Math.min(bodies, ON_DEMAND_BODIES_MAX),
    pages: (plan.pageFrames || pages) + cpus * (2 * BATCH + plan.gatherPages) + 2,
    vmas: VMAS,
    gatherPages: plan.gatherPages,
    batch: BATCH,
    backing: plan.backing,
  };
}
