/** Flushes that page reclaim has put off are carried out before anybody needs them. */
import { beforeEach, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import { mkPte } from '#arch/pte';
import { tlbFill, tlbLookup } from '#arch/tlb';
import { MM } from '#arena/layout/mm';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { flushTlbBatchedPending, setTlbUbcFlushPending } from './tlb-batched.ts';

let machine: TestMachine;
let cpu: Cpu;
let other: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(0);
  other = machine.cpu(1);
  tlbFill(other, 8, 0, mkPte(20, false, false));
});

const put = (): void => setTlbUbcFlushPending(other, machine.mm);
const flush = (who = cpu): void => flushTlbBatchedPending(who, machine.mm);
const flushes = (): number => machine.counter('tlbBatchedFlushes');
const isPending = (): boolean =>
  peek(machine.mm.at + MM.tlbBatched) !== peek(machine.mm.at + MM.tlbBatchedFlushed);

test('nothing put off, nothing flushed', () => {
  flush();
  expect([flushes(), machine.counter('tlbFlushes')]).toEqual([0, 0]);
});

test('what was put off is flushed once, everywhere', () => {
  put();
  put();
  expect(isPending()).toBe(true);
  flush();
  expect([flushes(), isPending(), tlbLookup(other, 8, 0, false)]).toEqual([1, false, 0]);
  flush();
  expect(flushes()).toBe(1);
});

test('what is put off during a flush is not taken for flushed', () => {
  put();
  machine.meanwhile(0, 'compareExchange', machine.mm.at + MM.tlbBatchedFlushed, put);
  flush();
  expect([flushes(), isPending()]).toEqual([1, true]);
  flush();
  expect([flushes(), isPending()]).toEqual([2, false]);
});

test('of two that flush at a time the first to end says so', () => {
  put();
  machine.meanwhile(0, 'compareExchange', machine.mm.at + MM.tlbBatchedFlushed, () => {
    put();
    flush(other);
  });
  flush();
  expect([flushes(), isPending()]).toEqual([2, false]);
});

test('a zap of the range flushes before it looks at the entries', () => {
  machine.mmap(0, 64, 72);
  machine.store(0, 64, 5);
  put();
  machine.dontneed(0, 64, 72);
  expect([flushes(), isPending()]).toEqual([1, false]);
});
