/**
 * The closed vocabulary of verdicts: one word and one sentence each. `judged: false` marks a word
 * that is reserved for a judge that does not exist yet, so that nobody takes its silence for
 * innocence.
 */

export const ORACLES = [
  {
    name: 'use-after-free',
    sentence: 'A table, page or VMA is used that has been freed, or is another one by now.',
    judged: true,
  },
  {
    name: 'table-zero',
    sentence: 'Table 0 or page 0, which no entry may ever name, is used.',
    judged: true,
  },
  {
    name: 'lost-entry',
    sentence:
      'An entry stands where nobody will find it: in an unhooked table, or outside every VMA.',
    judged: true,
  },
  {
    name: 'lost-data',
    sentence: 'A user read finds neither what was stored last nor the zero of a zap since.',
    judged: true,
  },
  {
    name: 'nonempty-table-freed',
    sentence: 'A PTE table is unhooked or freed although an entry of it is not none.',
    judged: true,
  },
  {
    name: 'double-free',
    sentence: 'A frame is freed twice, or has two owners at a time.',
    judged: true,
  },
  {
    name: 'reference-leak',
    sentence: 'A table counts more than it has, or is left empty although nobody refers to it.',
    judged: true,
  },
  {
    name: 'reference-underflow',
    sentence: 'A table counts fewer entries than it has, or fewer than none.',
    judged: true,
  },
  {
    name: 'wrong-nr-ptes',
    sentence: 'The counts of page tables differ from the tables that the address space reaches.',
    judged: true,
  },
  { name: 'deadlock', sentence: 'CPUs wait for each other in a circle.', judged: true },
  {
    name: 'lock-order',
    sentence: 'A lock is taken under another against the lock order, or under one of its class.',
    judged: true,
  },
  {
    name: 'lock-held-at-end',
    sentence: 'A lock is still held when nothing runs any more.',
    judged: true,
  },
  {
    name: 'sleep-in-atomic',
    sentence: 'A CPU that holds a spinlock does what may sleep, or one waits with interrupts off.',
    judged: true,
  },
  {
    name: 'mutual-exclusion',
    sentence: 'A lock lets two in at a time.',
    judged: true,
  },
  {
    name: 'wrong-rss',
    sentence: 'The resident set size differs from the pages that entries map.',
    judged: true,
  },
  {
    name: 'wrong-mapcount',
    sentence: 'A page is mapped by more or fewer entries than its descriptor says.',
    judged: true,
  },
  {
    name: 'frame-leak',
    sentence: 'A table, body, page or VMA is neither in use nor free.',
    judged: true,
  },
  {
    name: 'stale-translation',
    sentence: 'A CPU uses a translation to a page or table that has been let go.',
    judged: true,
  },
  {
    name: 'rcu-too-early',
    sentence: 'A grace period ended while a reader from before it was still inside.',
    judged: true,
  },
  {
    name: 'rcu-unbalanced',
    sentence: 'RCU read sections are left open, closed twice, or open where none may be.',
    judged: true,
  },
  {
    name: 'rcu-stall',
    sentence: 'A grace period does not end, or callbacks never run.',
    judged: true,
  },
  {
    name: 'livelock',
    sentence: 'CPUs are busy, and no operation gets anywhere.',
    judged: true,
  },
  {
    name: 'dontneed-not-done',
    sentence: 'After MADV_DONTNEED has returned, an access finds a page from before it.',
    judged: true,
  },
  {
    name: 'untruthful-error',
    sentence: 'An operation reports a failure that did not happen.',
    judged: true,
  },
] as const;

export type OracleName = (typeof ORACLES)[number]['name'];
