/** Each fact becomes the verdict of its oracle, in words that name who, what and where. */
import { expect, test } from 'vitest';
import { mkPmd } from '#arch/pmd';
import { EVENT_RECORD, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import { FRAME, frameState } from '#arena/layout/ptdesc';
import { FACTS, type FactName } from '#trace/fact';
import { EVENT } from '#trace/ring';
import { balanced, type Fixture } from './fixture.suite.ts';
import { TOLD_MAX } from './verdict.ts';

const FREE = frameState(FRAME.free, 0, 5);
const UNHOOKED = frameState(FRAME.unhooked, 0, 5);
const HOOKED_4 = frameState(FRAME.table, 0, 4);
/** Changed by cpu2, as the scanner, in its operation 300. */
const SCANNER = (5 << 10) | (2 << 16) | ((300 & 0xff) << 24);
const WHO = 'cpu1 (fault, operation 17)';

const CASES: readonly (readonly [FactName, number[], string, number[], string])[] = [
  [
    'frameMismatch',
    [7, FREE, 0, mkPmd(7, HOOKED_4), 99],
    'use-after-free',
    [1],
    `${WHO} followed an entry to pte table 7, generation 4 modulo 32, ` +
      'and found it free (pte level, generation 5)',
  ],
  [
    'frameMismatch',
    [7, HOOKED_4, 0, -1, 99],
    'use-after-free',
    [1],
    `${WHO} took table 7 from the free frames and found it in use (pte level, generation 4)`,
  ],
  [
    'pageMismatch',
    [9, 0x5002, 1],
    'use-after-free',
    [1],
    `${WHO} found page 9 gathered where it should be mapped`,
  ],
  ['pageMismatch', [9, 0x5010, 0], 'use-after-free', [1], 'page 9 free (with 1 references) where'],
  [
    'pageReused',
    [9, 0x6011, 5],
    'use-after-free',
    [1],
    `${WHO} holds a reference to page 9, which it found in life 5, and which is mapped (life 6)`,
  ],
  ['tableZero', [0, 0, 99], 'table-zero', [1], `${WHO} followed an entry to table 0`],
  [
    'lostEntry',
    [4, 3, 0x27, SCANNER, UNHOOKED],
    'lost-entry',
    [1, 2],
    `${WHO} installed 0x27 as entry 3 of pte table 4, which is unhooked ` +
      '(pte level, generation 5), last changed by cpu2 (scanner, operation 44 modulo 256)',
  ],
  [
    'nonemptyUnhooked',
    [4, 2, SCANNER | 2, 513],
    'nonempty-table-freed',
    [1, 2],
    `${WHO} unhooked pte table 4 from slot 513 with 2 of its entries set, last by cpu2 (scanner`,
  ],
  [
    'nonemptyFreed',
    [4, 6, 0x27],
    'nonempty-table-freed',
    [1],
    `${WHO} freed pte table 4, whose entry 6 holds 0x27`,
  ],
  [
    'doubleFree',
    [0, 4, FREE],
    'double-free',
    [1],
    `${WHO} was about to free pte table 4 and found it free`,
  ],
  [
    'doubleFree',
    [0, 4, UNHOOKED, 1],
    'double-free',
    [1],
    'was about to unhook pte table 4 and found it unhooked',
  ],
  [
    'doubleFree',
    [1, 9, 1],
    'double-free',
    [1],
    `${WHO} was about to free page 9 and found it mapped`,
  ],
  ['doubleFree', [2, 5], 'double-free', [1], `${WHO} was about to free body 5`],
  [
    'lostData',
    [513, 1, 4711, 0, 17],
    'lost-data',
    [1],
    `${WHO} stored 4711 at 0x1009000 (slot 513 entry 1) and read 0, and no ` +
      'zap since zap clock 17 covers it',
  ],
  ['lostData', [8, 0, 4711, 12, 17], 'lost-data', [1], 'and read 12, which is not its'],
  ['rcuTooEarly', [5, 3], 'rcu-too-early', [1], `${WHO} still reads element 5 at stage 3`],
  [
    'rcuUnbalanced',
    [-1],
    'rcu-unbalanced',
    [1],
    `${WHO} closed a read section that it had not opened`,
  ],
  ['rcuUnbalanced', [2], 'rcu-unbalanced', [1], 'with 2 read sections open'],
  [
    'exclusionLost',
    [8, 1, 0, 0, 0],
    'mutual-exclusion',
    [0, 1],
    `${WHO} is inside the torture lock, and so is cpu0`,
  ],
  ['exclusionLost', [8, 1, -1, 2, 0], 'mutual-exclusion', [1], 'as a writer, and so are 2 readers'],
  [
    'exclusionLost',
    [8, 41, 42, 40, 1],
    'mutual-exclusion',
    [1],
    'what it made 41 became 42 and 40',
  ],
  ['exclusionLost', [8, 1, 2, -1, 2], 'mutual-exclusion', [1, 2], 'as a reader, and so is cpu2'],
  ['exclusionLost', [8, 1, -1, -1, 2], 'mutual-exclusion', [1], 'and so is a writer'],
  ['sleepInAtomic', [1], 'sleep-in-atomic', [1], `${WHO} may sleep while it holds a spinlock`],
  [
    'waitIrqsOff',
    [1],
    'sleep-in-atomic',
    [1],
    `${WHO} waits for other CPUs while its interrupts are off`,
  ],
  [
    'untruthfulError',
    [0, 513, 1],
    'untruthful-error',
    [1],
    `${WHO} at 0x1009000 (slot 513 entry 1) reports that memory is short, and no allocation that ` +
      'it needed has failed',
  ],
  [
    'untruthfulError',
    [1, 513, 1],
    'untruthful-error',
    [1],
    'reports that it has dropped the lock of its caller, which is still held',
  ],
  [
    'untruthfulError',
    [2, 513, 1],
    'untruthful-error',
    [1],
    'has waited for a page as missing that it had found there before, and that nobody has zapped',
  ],
  [
    'vmaGone',
    [2, 513],
    'use-after-free',
    [1],
    `${WHO} goes by VMA 2, which began at slot 513 and is in the map no more`,
  ],
  [
    'countUnderflow',
    [0, 0, 0],
    'wrong-nr-ptes',
    [1],
    `${WHO} uncounted a pte table when 0 were counted`,
  ],
  [
    'countUnderflow',
    [1, -1, 4],
    'reference-underflow',
    [1],
    `${WHO} cleared more entries of pte table 4 than it counts: -1 are left`,
  ],
  [
    'tableLeft',
    [4, 513],
    'reference-leak',
    [1],
    `${WHO} found pte table 4 at slot 513, which should have gone with its last reference`,
  ],
  [
    'referencesLeft',
    [4, 2],
    'reference-leak',
    [1],
    `${WHO} freed pte table 4 with a count of 2 references`,
  ],
  ['referencesLeft', [4, -1], 'reference-underflow', [1], 'with a count of -1 references'],
  [
    'staleTranslation',
    [513, 1, 9, 0x5001, 0x6001],
    'stale-translation',
    [1],
    `${WHO} accesses 0x1009000 (slot 513 entry 1) by its translation to page 9, ` +
      'which is mapped (life 6) by now',
  ],
  [
    'staleTranslation',
    [513, 0, -1, mkPmd(7, HOOKED_4), FREE],
    'stale-translation',
    [1],
    'walks 0x1008000 (slot 513 entry 0) through its remembered table 7, ' +
      'which is free (pte level, generation 5) by now',
  ],
  [
    'staleRemembered',
    [513, 1, 1, 0x97],
    'stale-translation',
    [1],
    `${WHO} still remembers 0x1009000 (slot 513 entry 1) as the zero page; it maps page 9 by now`,
  ],
  [
    'dontneedNotDone',
    [513, 1, 4711, 17],
    'dontneed-not-done',
    [1],
    `${WHO} stored 4711 at 0x1009000 (slot 513 entry 1) at zap clock 17, gave the page back ` +
      'later, and still reads 4711',
  ],
];

test.each(CASES)('%s %j is %s', (kind, words, oracle, cpus, message) => {
  for (const moment of ['fair', 'halted', 'stopped'] as const) {
    const fixture = balanced();
    fixture.fact(1, kind, ...words);
    const found = fixture.verdicts(moment);
    expect(found).toEqual([{ kind: oracle, cpus, message: found[0]!.message, replay: null }]);
    expect(found[0]!.message).toContain(message);
  }
});

test('there is a case for every fact', () => {
  expect(new Set(CASES.map(([kind]) => kind))).toEqual(new Set(FACTS));
});

test('a message recalls what became of the table', () => {
  const fixture = balanced();
  event(fixture, 0, 10, EVENT.hook, 7, 513);
  event(fixture, 1, 30, EVENT.free, 7, 0);
  event(fixture, 1, 25, EVENT.free, 8, 0);
  event(fixture, 2, 20, EVENT.unhook, 7, 513);
  fixture.fact(0, 'frameMismatch', 7, FREE, 0, mkPmd(7, HOOKED_4), 99);
  expect(fixture.verdicts('halted')[0]!.message).toContain(
    '; latest acts on it: cpu0 hooked it at slot 513, cpu2 unhooked it from slot 513, ' +
      'cpu1 freed it',
  );
});

test('facts come before the audit, and a flood is told in part and counted', () => {
  const fixture = balanced();
  for (let i = 0; i < 3; i++) fixture.fact(1, 'lostData', 8, i, 1, 2, 3);
  for (let i = 0; i < FACTS_MAX; i++) fixture.fact(0, 'lostData', 9, 0, 1, 2, 3);
  fixture.words[fixture.block(0) + PERCPU.factCount] = FACTS_MAX + 1000;
  fixture.words[fixture.block(1) + PERCPU.rcuNesting] = 1;
  const found = fixture.verdicts();
  expect(found.map(({ kind }) => kind)).toEqual([
    ...Array<string>(TOLD_MAX).fill('lost-data'),
    'rcu-unbalanced',
    'lost-data',
  ]);
  expect(found.at(-1)!.message).toBe(`${FACTS_MAX + 1000 + 3 - TOLD_MAX} more of this kind`);
});

test('what is halted or stopped is not audited', () => {
  const fixture = balanced();
  fixture.words[fixture.block(1) + PERCPU.rcuNesting] = 1;
  expect(fixture.judge('halted')).toEqual([]);
  expect(fixture.judge('stopped')).toEqual([]);
});

function event(f: Fixture, cpu: number, timeUs: number, kind: number, a: number, b: number): void {
  const block = f.block(cpu);
  const at = block + PERCPU.events + f.words[block + PERCPU.eventCount]++ * EVENT_RECORD.sizeWords;
  f.words.set([kind, timeUs, a, b], at);
}
