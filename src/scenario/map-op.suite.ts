/** The operation that most plans of tests begin with. */
import type { Op } from './plan.ts';

/** Maps region number `region`, all of it, to be read and written. */
export function mapOf(region: number): Op & { op: 'mmap' } {
  return { op: 'mmap', region, extent: 'whole', share: 'all', protection: 'write' };
}
