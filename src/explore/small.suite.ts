/** Small machines and plans that make the paths of a table's life meet, for the tests of this room. */
import type { Geometry } from '#arena/map';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import type { Op, Plan, Where } from '#scenario/plan';
import { RandomStrategy } from './random.ts';
import { SteppedMachine } from './stepped-machine.ts';
import { loadSteppedTree } from './stepped-tree.ts';

/** Four entries per table, and batches so small that frames wander from CPU to CPU. */
export const TINY: Geometry = {
  cpus: 2,
  ptrsShift: 2,
  levels: 3,
  tables: 32,
  bodies: 48,
  pages: 32,
  vmas: 4,
  gatherPages: 2,
  batch: 1,
  backing: 'fixed',
};

const WHOLE: Where = { region: 0, extent: 'whole', share: 'all' };
const TOUCH: Op = { op: 'touch', access: 'write', pages: 'every', ...WHOLE };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const SCAN: Op = { op: 'scan' };

/** Names the columns after what they make meet; one slot, two CPUs. */
export const PLANS = {
  /** A fault against the zap that reclaims. */
  faultVsZap: plan('pt-reclaim', [[times(2, TOUCH)], [times(2, DONTNEED)]]),
  /** Two zaps of one table, one of them on its slow path. */
  zapVsZap: plan('pt-reclaim', [[times(2, TOUCH, DONTNEED)], [times(2, TOUCH, DONTNEED)]]),
  /** A fault against the scanner. */
  faultVsScanner: plan('async-scanner', [[times(2, TOUCH, DONTNEED)], [times(4, SCAN)]]),
  /** Two scanners, so that a table can be replaced between a look and the locks. */
  scannerVsScanner: plan('async-scanner', [[times(2, TOUCH, DONTNEED, SCAN)], [times(3, SCAN)]]),
};

/** A plan for one CPU per column. */
export function plan(protocol: string, columns: readonly (readonly Op[])[], more = {}): Plan {
  return {
    scenario: 'small',
    seed: 1,
    cpus: columns.length,
    protocol,
    // Scans are the plan's own operations.
    options: { where: 'kthread', delayMs: 0, sizePages: 64 },
    broken: null,
    parameters: {},
    ptrsShift: TINY.ptrsShift,
    levels: TINY.levels,
    pageFrames: 0,
    tableFrames: 0,
    backing: 'fixed',
    locks: { ptl: 'ttas', pml: 'ttas', 'page-table': 'ttas', zone: 'ttas' },
    splitLocks: true,
    rcu: 'qsbr',
    noise: 0,
    gatherPages: TINY.gatherPages,
    reschedPerMillion: 0,
    ownership: 'interleaved',
    regions: [{ name: 'heap', pages: 1 << TINY.ptrsShift, flags: [], gapPages: 0 }],
    setup: [{ op: 'mmap', region: 0 }, TOUCH],
    columns,
    durationMs: null,
    opsMax: null,
    expectations: [],
    ...more,
  };
}

export function times(n: number, ...ops: Op[]): Op {
  return { op: 'loop', times: n, do: ops };
}

/** The small machine on the living source, or on an edit of it. */
export async function machineFor(
  edit: LineEdit | null,
  small: Plan,
  stepsMax?: number,
): Promise<SteppedMachine> {
  const { stepped } = await treeRoots(edit);
  const geometry = { ...TINY, cpus: small.cpus };
  return new SteppedMachine(await loadSteppedTree(stepped), small, geometry, stepsMax);
}

/** The plain form of a tree, as far as one CPU on this thread needs it. */
export async function loadPlainTree(root: URL) {
  const clock: typeof import('#arena/clock') = await import(new URL('arena/clock.js', root).href);
  const gate: typeof import('#arena/gate') = await import(new URL('arena/gate.js', root).href);
  const map: typeof import('#arena/map') = await import(new URL('arena/map.js', root).href);
  const bind: typeof import('#tasks/bind') = await import(new URL('tasks/bind.js', root).href);
  const main: typeof import('#tasks/cpu-main') = await import(
    new URL('tasks/cpu-main.js', root).href
  );
  return { clock, gate, map, bind, main };
}

/** A strategy for tests: one switch in ten steps. */
export function randomly(seed: number): RandomStrategy {
  return new RandomStrategy(seed, 100_000);
}
