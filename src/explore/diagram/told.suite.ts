/** Failing schedules worth telling, and whether what is told has what it must have. */
import { type Schedule, scheduleOf } from '../schedule.ts';
import { randomly } from '../small.suite.ts';
import type { SteppedMachine } from '../stepped-machine.ts';

const EXECUTIONS_MAX = 4000;
/** Failing ones that are compared. */
const FAILURES = 12;

/** Of many executions that end in a violation of `kind`, that with the fewest switches. */
export function shortest(machine: SteppedMachine, kind: string): Schedule {
  let best: { schedule: Schedule; cost: number } | null = null;
  const strategy = randomly(1);
  for (let i = 0, failures = 0; i < EXECUTIONS_MAX && failures < FAILURES; i++) {
    const { verdicts, history } = machine.execute(strategy, i);
    if (!verdicts.some((each) => each.kind === kind)) continue;
    failures++;
    const schedule = scheduleOf(history);
    const cost = schedule.stretches.length * 1000 + history.decided;
    if (best === null || cost < best.cost) best = { schedule, cost };
  }
  return best!.schedule;
}

/** How many of the patterns are found, each after the one before. */
export function inOrder(texts: readonly string[], patterns: readonly RegExp[]): number {
  let found = 0;
  for (const each of texts) if (found < patterns.length && patterns[found]!.test(each)) found++;
  return found;
}
