/**
 * How a thread becomes part of a machine: what is constant for its life is known before its code is
 * loaded.
 */
import type { Cpu } from '#arch/cpu';
import type { SettingsAtLoad } from '#arena/at-load';
import type { MachineMessage } from '#machine/messages';
import type { Plan } from '#scenario/plan';
import type { Machine } from '#tasks/bind';
import { lockClassesWith } from '#trace/vocabulary';

type Tree = typeof import('#tasks/entry');

/** Loads the build that `message` names and binds it; `id` is the CPU's number. */
export async function becomeMachine<T extends Tree = Tree>(
  message: MachineMessage,
  id: number,
): Promise<{ tree: T; machine: Machine; cpu: Cpu }> {
  const { buffer, geometry, plan, spins } = message;
  globalThis.pttortureMachine = {
    buffer,
    geometry,
    spins,
    totalStoreOrder: process.arch === 'x64',
    settings: settingsOf(plan),
  };
  const tree: T = await import(message.entry);
  const machine = tree.bindMachine(buffer, geometry, plan, spins);
  return { tree, machine, cpu: tree.makeCpu(id, plan.seed) };
}

function settingsOf(plan: Plan): SettingsAtLoad {
  return {
    ticketClasses: lockClassesWith(plan.locks, 'ticket'),
    mcsClasses: lockClassesWith(plan.locks, 'mcs'),
    announced: plan.rcu === 'announced',
    abstractRcu: plan.rcu === 'abstract',
    reschedPerMillion: plan.reschedPerMillion,
    allocFailPerMillion: plan.allocFailPerMillion,
    onDemand: plan.backing === 'on-demand',
    broadcast: plan.shootdown === 'broadcast',
  };
}
