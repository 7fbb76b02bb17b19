/**
 * A stepped tree, loaded: the derived form of the tested wing, in which whatever can reach the gate
 * is a generator. A tree has module state of its own; the living build's is not touched.
 */

import type { Cpu } from '#arch/cpu';
import type * as ClockModule from '#arena/clock';
import type * as GateModule from '#arena/gate';
import type * as ControlModule from '#arena/layout/control';
import type * as PercpuModule from '#arena/layout/percpu';
import type * as MapModule from '#arena/map';
import type * as BindModule from '#tasks/bind';
import type { CpuEnd, CpuPart } from '#tasks/cpu-main';
import type * as TaskModule from '#tasks/task';
import type { Task } from '#tasks/task';

/** What a CPU does, one step for each `next`. */
export type Coroutine = Generator<undefined, CpuEnd, undefined>;

export interface SteppedTree {
  readonly bind: typeof BindModule;
  readonly main: {
    readonly cpuPart: (
      cpu: Cpu,
      machine: BindModule.Machine,
      task: Task,
      part: CpuPart,
    ) => Coroutine;
    readonly cpuExit: (cpu: Cpu, machine: BindModule.Machine) => Coroutine;
    readonly enterPhase: (phase: number) => void;
  };
  readonly task: typeof TaskModule;
  readonly gate: typeof GateModule;
  readonly clock: typeof ClockModule;
  readonly map: typeof MapModule;
  readonly control: typeof ControlModule;
  readonly percpu: typeof PercpuModule;
  /** Whoever bound the tree last: it has one machine at a time. */
  user: unknown;
}

const trees = new Map<string, Promise<SteppedTree>>();

/**
 * Loads the stepped tree below `root` (a folder's URL, which ends in `/`). Its modules have state,
 * and are there once, so all who ask for a root get the same tree.
 */
export function loadSteppedTree(root: URL): Promise<SteppedTree> {
  const known = trees.get(root.href);
  if (known !== undefined) return known;
  const tree = load(root);
  trees.set(root.href, tree);
  return tree;
}

async function load(root: URL): Promise<SteppedTree> {
  const module = (path: string) => import(new URL(`${path}.js`, root).href);
  return {
    bind: await module('tasks/bind'),
    main: await module('tasks/cpu-main'),
    task: await module('tasks/task'),
    gate: await module('arena/gate'),
    clock: await module('arena/clock'),
    map: await module('arena/map'),
    control: await module('arena/layout/control'),
    percpu: await module('arena/layout/percpu'),
    user: null,
  };
}
