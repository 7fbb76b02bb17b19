/** What a protocol's cost to the CPUs is seen by. */
import type { Run } from './result.ts';

/**
 * Pages faulted in for each second of the main phase; 0 when it took no time that a clock could
 * have seen. What the setup has faulted in counts too: it is the same under each protocol.
 */
export function throughput({ pages, seconds }: Pick<Run, 'pages' | 'seconds'>): number {
  return seconds < CLOCK_TICK_SECONDS ? 0 : pages.faulted / seconds;
}

const CLOCK_TICK_SECONDS = 1e-9;
