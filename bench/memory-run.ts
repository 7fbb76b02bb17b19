/**
 * One run in a process of its own, to see how much memory the process took at most. Its argument is
 * a `MemoryRequest` as JSON; it prints a `MemoryFound`.
 */
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import type { Plan } from '#scenario/plan';
import { planAt } from './shipped.ts';

export interface MemoryRequest {
  /** Of the scenario. */
  readonly path: string;
  readonly protocol: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly backing: Plan['backing'];
  readonly cpus: number;
}

export interface MemoryFound {
  readonly peakRssMiB: number;
  /** Seconds of the phases that the scenario names. */
  readonly phases: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const { path, protocol, parameters, backing, cpus } = JSON.parse(
    process.argv[2],
  ) as MemoryRequest;
  const plan = planAt(path, protocol, { parameters, cpus });
  const run = await runPlan({ ...plan, backing }, { judges: JUDGES });
  if (run.exit !== 'pass') throw new Error(run.violations[0]?.message ?? run.note ?? run.exit);
  const phases = Object.fromEntries(run.phases.map(({ name, seconds }) => [name, seconds]));
  const found: MemoryFound = { peakRssMiB: process.resourceUsage().maxRSS / 1024, phases };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

await main();
