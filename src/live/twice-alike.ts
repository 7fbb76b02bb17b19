/**
 * When a difference counts. The live kernel counts the page tables of a whole process, the
 * runtime's among them. So what differs is run again: it counts only if it comes out twice in the
 * same way, and the process has kept still meanwhile.
 */
import { isSameReading } from '#result/reading';
import type { Compared, Difference } from '#result/validation';

/** What one run on the live kernel came to, and whether its process kept still. */
export interface Asked {
  readonly compared: Compared;
  readonly isStill: boolean;
}

/**
 * Asks until a difference has come out twice, or there is none; `triesMax` times more than once
 * without either, and the latest difference is not settled.
 */
export async function askTwice(triesMax: number, ask: () => Promise<Asked>): Promise<Compared> {
  let before: Difference | null = null;
  for (let i = 0; ; i++) {
    const { compared, isStill } = await ask();
    const { difference } = compared;
    if (difference === null || (isStill && isSameDifference(before, difference))) return compared;
    if (i === triesMax) return { ...compared, difference: { ...difference, isSettled: false } };
    if (isStill) before = difference;
  }
}

function isSameDifference(a: Difference | null, b: Difference): boolean {
  return a !== null && a.operation === b.operation && isSameReading(a.kernel, b.kernel);
}
