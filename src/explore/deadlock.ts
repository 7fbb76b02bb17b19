/**
 * Nobody can go on: a verdict in any case. The judges look for a circle; where they find none (the
 * mmap lock does not name its holders), who waits for what is all there is to say.
 */
import type { Wait } from '#machine/judges';
import type { Evidence } from '#oracles/evidence';
import { judge } from '#oracles/judges';
import { cpuNow, lockName } from '#oracles/naming';
import { type Verdict, verdict } from '#oracles/verdict';

/** Where in its block a CPU that runs freely notes its wait. */
export interface WaitOffsets {
  readonly waitAt: number;
  readonly waitSeen: number;
}

/** What is wrong with a machine in which `waits` is all that goes on. */
export function judgeDeadlock(
  evidence: Evidence,
  waits: readonly Wait[],
  offsets: WaitOffsets,
): Verdict[] {
  for (const wait of waits) noteWait(evidence, wait, offsets);
  const verdicts = judge(evidence);
  if (verdicts.some(({ kind }) => kind === 'deadlock')) return verdicts;
  const { words, map } = evidence;
  const each = waits.map(({ cpu, at }) => `${cpuNow(words, map, cpu)} ${lockName(words, map, at)}`);
  const cpus = waits.map(({ cpu }) => cpu);
  // What has happened comes before orders of locks, which only may end so.
  const orders = verdicts.filter(({ kind }) => kind === 'lock-order');
  return [
    ...verdicts.filter(({ kind }) => kind !== 'lock-order'),
    verdict('deadlock', cpus, `nobody can go on; waited for: ${each.join(', ')}`),
    ...orders,
  ];
}

/** Notes a wait where the judges look for it. */
function noteWait({ words, map }: Evidence, wait: Wait, offsets: WaitOffsets): void {
  const block = map.percpu + wait.cpu * map.percpuWords;
  words[block + offsets.waitAt] = wait.at;
  words[block + offsets.waitSeen] = wait.seen;
}
