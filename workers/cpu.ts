/**
 * Thread entry point of one simulated CPU: becomes what the task says, loads that build, and lives.
 */
import type { Words } from '#arena/word';
import type { CpuReply, CpuTask } from '#machine/messages';
import { becomeMachine } from './become.ts';

type EnforcedTree = typeof import('#tasks/enforced-entry');

export default async function runCpu(task: CpuTask): Promise<CpuReply> {
  if (task.order !== undefined) return runEnforced(task, task.order);
  const { tree, machine, cpu } = await becomeMachine(task, task.cpu);
  const { seed, noise } = task.plan;
  tree.setGate(noise > 0 ? new tree.NoisyGate(seed, -1 - task.cpu, noise) : null);
  return task.part === 'life' ? tree.cpuMain(cpu, machine) : tree.cpuExit(cpu, machine);
}

/** The same in a recorded order; the clock counts steps, as where it was recorded. */
async function runEnforced(task: CpuTask, order: Words): Promise<CpuReply> {
  const { tree, machine, cpu } = await becomeMachine<EnforcedTree>(task, task.cpu);
  const gate = new tree.EnforcedGate(order);
  tree.setGate(gate);
  tree.setClock(() => gate.clock());
  return task.part === 'life' ? tree.cpuEnforced(cpu, machine, gate) : tree.cpuExit(cpu, machine);
}
