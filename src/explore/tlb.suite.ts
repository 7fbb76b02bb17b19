/** Small plans in which a TLB flush has somebody to reach, for the tests of this room. */
import type { Op, Plan } from '#scenario/plan';
import { plan, times } from './small.suite.ts';

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const WRITE: Op = { op: 'touch', access: 'write', pages: 'every', ...WHOLE };
const READ: Op = { op: 'touch', access: 'read', pages: 'every', ...WHOLE };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const SCAN: Op = { op: 'scan', untilIdle: false };

/** Two CPUs use the same pages while a third gives them back. */
const TOUCHERS_VS_ZAP = [[times(2, WRITE)], [times(2, READ)], [times(2, DONTNEED)]];
/** Each gives back what both use, and looks at once whether it is gone. */
const ZAP_AND_LOOK = [[times(2, WRITE, DONTNEED, READ)], [times(2, WRITE, DONTNEED, READ)]];
/** One gives back its page and looks, while the other may have cleared it and not yet flushed. */
const LOOK_VS_ZAP = [[times(3, WRITE, DONTNEED, READ)], [times(4, DONTNEED)]];
const ONE_PAGE = { regions: [{ name: 'page', pages: 1, flags: [], gapPages: 0 }] };
/** One sleeps while the other gives back what it had used; the sleep is in steps. */
const SLEEPER_VS_ZAP = [[times(2, WRITE, sleep(400), READ)], [times(6, DONTNEED)]];
/** Both find the zero page, and each then writes the pages that are its own. */
const READERS_THEN_WRITERS = [
  [DONTNEED, READ, WRITE],
  [READ, WRITE],
];
/** One empties its table for the other to scan, and looks again. */
const LOOK_VS_SCANNER = [[times(2, WRITE, DONTNEED, READ)], [times(4, SCAN)]];

/** The plan for each broken version of the flush. */
export const TLB_PLANS: Readonly<Record<string, Plan>> = {
  'no-shootdown': plan('pt-reclaim', TOUCHERS_VS_ZAP),
  'own-tlb-kept': plan('pt-reclaim', ZAP_AND_LOOK),
  'gather-no-flush': plan('pt-reclaim', TOUCHERS_VS_ZAP),
  'serve-without-flush': plan('pt-reclaim', TOUCHERS_VS_ZAP),
  'enter-without-flush': plan('pt-reclaim', SLEEPER_VS_ZAP),
  'cow-no-flush': plan('pt-reclaim', READERS_THEN_WRITERS),
  'lazy-not-flushed': plan('pt-reclaim', SLEEPER_VS_ZAP),
  'lazy-skipped': plan('pt-reclaim', SLEEPER_VS_ZAP),
  'scanner-no-flush': plan('async-scanner', LOOK_VS_SCANNER),
  'nested-gather-ignored': plan('pt-reclaim', LOOK_VS_ZAP, ONE_PAGE),
};

function sleep(ms: number): Op {
  return { op: 'sleep', ms };
}
