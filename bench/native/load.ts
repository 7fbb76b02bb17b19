/**
 * One load on three systems: pages are touched in order and given back, by CPUs that keep to 64 MiB
 * of their own, 2 MiB at a time (`disjoint`), meet in all pages of the same 2 MiB (`hot`), or share
 * its PTE table but none of its pages, an equal part each (`shared`). Here are the variants of the
 * native twin and of the live kernel; `simulator.ts` has those of the simulator.
 */
import type { Variant } from '../harness.ts';
import { runNative } from './compile.ts';

export interface Load {
  readonly mode: 'disjoint' | 'hot' | 'shared';
  readonly cpus: number;
}

export const ONE: Load = { mode: 'disjoint', cpus: 1 };
export const TWO: Load = { mode: 'disjoint', cpus: 2 };
export const EIGHT: Load = { mode: 'disjoint', cpus: 8 };
export const HOT: Load = { mode: 'hot', cpus: 2 };
export const SHARED: Load = { mode: 'shared', cpus: 2 };
export const LOADS: readonly Load[] = [ONE, TWO, EIGHT, HOT, SHARED];

export const ORDERS = ['seq_cst', 'release'] as const;
export type Order = (typeof ORDERS)[number];

/** What both programs print; each adds fields of its own. */
export interface NativeSample {
  readonly nsPerPageWall: number;
  readonly pages: number;
  readonly threads: number;
  readonly mode: string;
}

/** `none, 2 CPUs disjoint`. */
export function nameOf(system: string, { mode, cpus }: Load): string {
  return cpus === 1 ? `${system}, 1 CPU` : `${system}, ${cpus} CPUs ${mode}`;
}

export function twinName(order: Order, load: Load): string {
  return nameOf(`twin ${order}`, load);
}

export function liveName(load: Load): string {
  return nameOf('live kernel', load);
}

export function twinVariant(path: string, order: Order, load: Load, ms: number): Variant {
  const args = [load.mode, String(load.cpus), order, String(ms)];
  return { name: twinName(order, load), unit: 'ns', sample: () => nsPerPage(path, args) };
}

export function liveVariant(path: string, load: Load, ms: number): Variant {
  const args = [load.mode, String(load.cpus), String(ms)];
  return { name: liveName(load), unit: 'ns', sample: () => nsPerPage(path, args) };
}

async function nsPerPage(path: string, args: readonly string[]): Promise<number> {
  const { nsPerPageWall, pages } = (await runNative(path, args)) as NativeSample;
  if (pages === 0) throw new Error('no page was faulted in; give more time');
  return nsPerPageWall;
}
