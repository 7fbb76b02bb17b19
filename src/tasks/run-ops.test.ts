/** Facts about single operations: that each does what its words say, on a machine of one CPU. */

import { expect, test } from 'vitest';
import { pageAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { VMA_FLAG } from '#arena/layout/mm';
import { PAGE, PAGE_LAZYFREE, PAGE_LOCKED, PAGE_STATE } from '#arena/layout/page';
import { peek, poke } from '#arena/word';
import { flipPageState } from '#mm/page-state';
import { ACCESS_FLAGS } from '#mm/protection';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, Protection, Region, VmaFlag } from '#scenario/plan';
import { VMA_FLAGS } from '#scenario/schema';
import { COUNTERS, type CounterName } from '#trace/counters';
import { cpuMain } from './cpu-main.ts';
import { TestMachine } from './machine.suite.ts';
import { vmaFlags } from './memory-ops.ts';

const PAGES = 64;
const whole = { region: 0, extent: 'whole', share: 'all' } as const;
const MMAP: Op = mapOf(0);
const WRITE: Op = { op: 'touch', access: 'write', pages: 'every', ...whole };
const READ: Op = { op: 'touch', access: 'read', pages: 'every', ...whole };
const DONTNEED: Op = { op: 'dontneed', ...whole };
const RECLAIM: Op = { op: 'reclaim', ...whole };
const advise = (advice: (Op & { op: 'madvise' })['advice']): Op => ({
  op: 'madvise',
  advice,
  ...whole,
});
const walk = (walker: (Op & { op: 'walk' })['walker']): Op => ({ op: 'walk', walker, ...whole });

/** A machine that has lived through `column`, without a fact. */
function live(column: Op[], plan: Partial<Plan> = {}, flags: VmaFlag[] = []): TestMachine {
  const regions: Region[] = [{ name: 'heap', pages: PAGES, flags, gapPages: 0 }];
  const more = { cpus: 1, regions, setup: [MMAP], columns: [column], ...plan };
  const machine = new TestMachine(more, { cpus: 1 }, false);
  expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
  expect(machine.facts()).toEqual([]);
  return machine;
}

/** How much more `column` counts after `before` than `before` alone. */
function counted(name: CounterName, before: Op[], column: Op[], plan: Partial<Plan> = {}): number {
  expect(COUNTERS).toContain(name);
  const alone = live(before, plan).counter(name);
  return live([...before, ...column], plan).counter(name) - alone;
}

test.each(VMA_FLAGS)('a region marked %s is mapped so', (flag) => {
  expect(vmaFlags([flag])).not.toBe(0);
  expect(live([], {}, [flag]).vmas()[0]![2]).toBe(vmaFlags([flag]));
});

/** Flags that a region does not have: of advice, and of protections. */
const OTHERS = VMA_FLAG.noPtScan | ACCESS_FLAGS;

test('each flag of a region is another one of the VMA', () => {
  const all = Object.values(VMA_FLAG).reduce((sum: number, flag) => sum | flag, 0);
  expect(vmaFlags(VMA_FLAGS)).toBe(all & ~OTHERS);
  expect(vmaFlags([])).toBe(0);
});

test('advice to populate maps pages, which read zero until they are stored to', () => {
  expect(live([advise('populate-write'), READ, WRITE, READ]).counter('rss')).toBe(PAGES);
  expect(counted('rss', [], [advise('populate-read')])).toBe(0);
  expect(counted('faultsRead', [advise('populate-read')], [READ])).toBe(0);
});

test('pages that were freed and reclaimed may be zero, those written since may not', () => {
  const machine = live([WRITE, advise('free'), RECLAIM, READ, WRITE, READ]);
  expect(machine.counter('rss')).toBe(PAGES);
  expect(counted('rss', [WRITE, advise('free')], [RECLAIM])).toBe(-PAGES);
});

test('reclaim and pageout keep the content', () => {
  expect(counted('swapUsed', [WRITE], [RECLAIM])).toBe(PAGES);
  expect(counted('swapUsed', [WRITE], [advise('pageout')])).toBe(PAGES);
  expect(counted('dataCompared', [WRITE, RECLAIM], [READ])).toBe(PAGES);
});

const FIRST_HALF = { region: 0, extent: { page: 0, pages: PAGES / 2 }, share: 'all' } as const;
const MOVE: Op = { op: 'mremap', to: PAGES / 2, newPages: PAGES / 2, ...FIRST_HALF };
const BACK: Op = {
  ...{ op: 'mremap', to: 0, newPages: PAGES / 2, region: 0, share: 'all' },
  extent: { page: PAGES / 2, pages: PAGES / 2 },
};

test('what was stored is found where mremap has moved it, and compared', () => {
  expect(counted('dataCompared', [WRITE, MOVE], [READ])).toBe(PAGES / 2);
  expect(counted('segv', [WRITE, MOVE], [READ])).toBe(PAGES / 2);
  expect(counted('dataCompared', [WRITE, MOVE, BACK], [READ])).toBe(PAGES / 2);
  expect(counted('rss', [WRITE], [MOVE])).toBe(-PAGES / 2);
});

test('the heap is what brk says', () => {
  const heap = (pages: number): Op => ({ op: 'brk', region: 0, pages });
  const column = [{ op: 'munmap', ...whole } as const, heap(8), heap(40), WRITE, heap(20)];
  expect(
    live(column)
      .vmas()
      .map(([start, end]) => end - start),
  ).toEqual([20]);
  expect(live(column).counter('rss')).toBe(20);
  expect(live([...column, heap(0)]).vmas()).toEqual([]);
});

test('a protection forbids accesses', () => {
  const protect = (protection: Protection): Op => ({ op: 'mprotect', protection, ...whole });
  expect(counted('segv', [WRITE, protect('read')], [READ, WRITE])).toBe(PAGES);
  expect(counted('segv', [WRITE, protect('none')], [READ, WRITE])).toBe(2 * PAGES);
  const again = [WRITE, protect('none'), protect('write')];
  expect(counted('dataCompared', again, [READ])).toBe(PAGES);
  expect(counted('segv', [{ ...mapOf(0), protection: 'read' }], [WRITE])).toBe(PAGES);
});

test('a guard keeps everybody out, and leaves nothing behind', () => {
  const guarded = [WRITE, advise('guard-install')];
  expect(counted('segv', guarded, [READ])).toBe(PAGES);
  expect(counted('segv', [...guarded, advise('guard-remove')], [READ])).toBe(0);
});

test('advice to scan changes the VMA', () => {
  expect(live([advise('pt-scan')]).vmas()[0]![2]).toBe(VMA_FLAG.ptScan);
  expect(live([advise('no-pt-scan')]).vmas()[0]![2]).toBe(VMA_FLAG.noPtScan);
});

test.each([
  ['smaps', 'walkerPages', PAGES],
  ['pagemap', 'walkerPages', PAGES],
  ['mincore', 'walkerPages', PAGES],
  ['migrate', 'pagesMigrated', PAGES],
  ['fork', 'walkerPages', PAGES],
] as const)('a walk by %s is made', (walker, counter, n) => {
  expect(counted(counter, [WRITE], [walk(walker), READ])).toBe(n);
});

/** Tables reclaimed by `op` once all memory is given back, before the fair phase. */
function reclaimedBy(op: Op, protocol: string, options: Plan['options'] = {}): number {
  const meet = (phase: string): Op => ({ op: 'rendezvous', phase });
  live([WRITE, DONTNEED, meet('empty'), op, meet('reclaimed')], { protocol, options });
  return peek(CONTROL.markTables) - peek(CONTROL.markTables + 1);
}

test('pressure goes to the protocol that reacts to it', () => {
  expect(reclaimedBy({ op: 'pressure' }, 'none')).toBe(0);
  expect(reclaimedBy({ op: 'pressure' }, 'locked-counts')).toBe(PAGES / 8);
});

test('a scan is one pass; until idle it goes on over all of the address space', () => {
  const options = { delayMs: 1e6, sizePages: 8, where: 'kthread' };
  const scan = (untilIdle: boolean): Op => ({ op: 'scan', untilIdle });
  expect(reclaimedBy(scan(false), 'async-scanner', options)).toBe(1);
  expect(reclaimedBy(scan(true), 'async-scanner', options)).toBe(PAGES / 8);
  expect(reclaimedBy(scan(true), 'none')).toBe(0);
});

test.each(['migrate', 'gup', 'gup-fast', 'gup-fast-only'] as const)(
  'where a plan walks by %s, a page changes state among others that change it',
  (walker) => {
    const machine = new TestMachine({ columns: [[walk(walker)]] });
    const at = pageAt(5) + PAGE.state;
    poke(at, PAGE_STATE.mapped);
    // It was locked when it was looked at, and has been unlocked since.
    flipPageState(machine.cpu(0), at, PAGE_STATE.mapped | PAGE_LOCKED, PAGE_LAZYFREE);
    expect(peek(at)).toBe(PAGE_STATE.mapped | PAGE_LAZYFREE);
  },
);
