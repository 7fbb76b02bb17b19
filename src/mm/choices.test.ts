/** The choice points keep to their chances. */
import { afterEach, expect, test } from 'vitest';
import { enterActor } from '#arch/cpu';
import { TestMachine } from '#tasks/machine.suite';
import { ACTOR } from '#trace/vocabulary';
import { allocationFails, configureChoices, untilResched } from './choices.ts';

afterEach(() => configureChoices(0, 0));

test('without a chance nothing is left to it', () => {
  const machine = new TestMachine();
  for (let i = 0; i < 1000; i++) {
    expect(untilResched(machine.cpu(0), 8)).toBe(8);
    expect(allocationFails(machine.cpu(0))).toBe(false);
  }
  expect([machine.counter('reschedTaken'), machine.counter('allocFailed')]).toEqual([0, 0]);
});

test('need-resched comes at any of the entries, as often as its chance says', () => {
  const machine = new TestMachine();
  configureChoices(100_000, 0);
  const passed = Array.from({ length: 20_000 }, () => untilResched(machine.cpu(0), 4));
  expect(new Set(passed)).toEqual(new Set([1, 2, 3, 4]));
  const taken = machine.counter('reschedTaken');
  expect(taken / 20_000).toBeCloseTo(0.4, 1);
});

test('an allocation fails as often as its chance says, and never at boot', () => {
  const machine = new TestMachine();
  configureChoices(0, 250_000);
  let failed = 0;
  for (let i = 0; i < 20_000; i++) if (allocationFails(machine.cpu(0))) failed++;
  expect(failed / 20_000).toBeCloseTo(0.25, 1);
  expect(machine.counter('allocFailed')).toBe(failed);
  enterActor(machine.cpu(0), ACTOR.boot);
  for (let i = 0; i < 1000; i++) expect(allocationFails(machine.cpu(0))).toBe(false);
});

test('a store for which every allocation fails says so, and leaves nothing behind', () => {
  const machine = new TestMachine();
  machine.mmap(0, 64, 128);
  const before = [machine.inUse('pages'), machine.inUse('tables'), machine.nrPtes()];
  configureChoices(0, 1_000_000);
  expect(machine.store(0, 64, 5)).toBe(-2);
  expect([machine.inUse('pages'), machine.inUse('tables'), machine.nrPtes()]).toEqual(before);
  configureChoices(0, 0);
  expect([machine.store(0, 64, 5), machine.load(0, 64)]).toEqual([0, 5]);
});
