/** Thread entry point of one simulated CPU: imports the build it is told to run, and lives. */
import type { setGate } from '#arena/gate';
import type { CpuReply, CpuTask } from '#machine/messages';

export default async function runCpu(task: CpuTask): Promise<CpuReply> {
  const bind: typeof import('#tasks/bind') = await import(`${task.root}tasks/bind.js`);
  const main: typeof import('#tasks/cpu-main') = await import(`${task.root}tasks/cpu-main.js`);
  const noise: typeof import('#arena/noise') = await import(`${task.root}arena/noise.js`);
  const gate: { setGate: typeof setGate } = await import(`${task.root}arena/gate.js`);
  const machine = bind.bindMachine(task.buffer, task.geometry, task.plan, task.spins);
  const cpu = bind.makeCpu(task.cpu, task.plan.seed);
  const { seed, noise: level } = task.plan;
  gate.setGate(level > 0 ? new noise.NoisyGate(seed, -1 - task.cpu, level) : null);
  return task.part === 'life' ? main.cpuMain(cpu, machine) : main.cpuExit(cpu, machine);
}
