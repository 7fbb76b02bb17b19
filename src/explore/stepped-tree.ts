/**
 * A stepped tree, loaded: the derived form of the tested wing, in which whatever can reach the gate
 * is a generator. A tree has module state of its own; the living build's is not touched.
 */

import type { Cpu } from '#arch/cpu';
import type * as ClockModule from '#arena/clock';
import type * as GateModule from '#arena/gate';
import type * as ImageModule from '#arena/image';
import type * as ControlModule from '#arena/layout/control';
import type * as PercpuModule from '#arena/layout/percpu';
import type * as MapModule from '#arena/map';
import type * as BindModule from '#tasks/bind';
import type { CpuEnd } from '#tasks/cpu-main';

/** What a CPU does, one step for each `next`. */
export type Coroutine = Generator<undefined, CpuEnd, undefined>;

type CpuPart = (cpu: Cpu, machine: BindModule.Machine) => Coroutine;

export interface SteppedTree {
  readonly bind: typeof BindModule;
  readonly main: { readonly cpuMain: CpuPart; readonly cpuExit: CpuPart };
  readonly gate: typeof GateModule;
  readonly clock: typeof ClockModule;
  readonly image: typeof ImageModule;
  readonly map: typeof MapModule;
  readonly control: typeof ControlModule;
  readonly percpu: typeof PercpuModule;
}

/** Loads the stepped tree below `root` (a folder's URL, which ends in `/`). */
export async function loadSteppedTree(root: URL): Promise<SteppedTree> {
  const load = (path: string) => import(new URL(`${path}.js`, root).href);
  return {
    bind: await load('tasks/bind'),
    main: await load('tasks/cpu-main'),
    gate: await load('arena/gate'),
    clock: await load('arena/clock'),
    image: await load('arena/image'),
    map: await load('arena/map'),
    control: await load('arena/layout/control'),
    percpu: await load('arena/layout/percpu'),
  };
}
