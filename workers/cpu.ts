/**
 * Thread entry point of one simulated CPU: becomes what the task says, loads that build, and lives.
 */
import type { CpuReply, CpuTask } from '#machine/messages';
import { becomeMachine } from './become.ts';

export default async function runCpu(task: CpuTask): Promise<CpuReply> {
  const { tree, machine, cpu } = await becomeMachine(task, task.cpu);
  const { seed, noise } = task.plan;
  tree.setGate(noise > 0 ? new tree.NoisyGate(seed, -1 - task.cpu, noise) : null);
  return task.part === 'life' ? tree.cpuMain(cpu, machine) : tree.cpuExit(cpu, machine);
}
