/**
 * How a thread becomes part of a machine: what is constant for its life is known before its code is
 * loaded.
 */
import type { Cpu } from '#arch/cpu';
import type { MachineMessage } from '#machine/messages';
import type { Machine } from '#tasks/bind';

type Tree = typeof import('#tasks/entry');

/** Loads the build that `message` names and binds it; `id` is the CPU's number. */
export async function becomeMachine(
  message: MachineMessage,
  id: number,
): Promise<{ tree: Tree; machine: Machine; cpu: Cpu }> {
  const { buffer, geometry, plan, spins } = message;
  globalThis.pttortureMachine = {
    buffer,
    geometry,
    spins,
    totalStoreOrder: process.arch === 'x64',
  };
  const tree: Tree = await import(message.entry);
  const machine = tree.bindMachine(buffer, geometry, plan, spins);
  return { tree, machine, cpu: tree.makeCpu(id, plan.seed) };
}
