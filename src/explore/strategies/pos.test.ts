/** POS draws each race for itself, and what does not race once. */
import { expect, test } from 'vitest';
import { GATE } from '#arena/gate';
import { PosStrategy } from './pos.ts';
import { alone, frequency, load, orders, store, Toy } from './toy.suite.ts';

const EXECUTIONS = 20_000;

test('both orders of a single race are as likely', () => {
  const toy = new Toy([
    [store(0, 1), ...alone(0, 3)],
    [load(0), ...alone(1, 5)],
  ]);
  const often = frequency(orders(toy, new PosStrategy(1), EXECUTIONS), /^0/);
  expect(Math.abs(often - 1 / 2)).toBeLessThan(0.01);
});

test('a race is drawn for itself, whatever the ones before', () => {
  // The one store of CPU 0 comes last if it loses two draws, each half and half.
  const racing = new Toy([[store(0, 1)], [store(0, 2), store(0, 3)]]);
  const often = frequency(orders(racing, new PosStrategy(1), EXECUTIONS), /^110/);
  expect(Math.abs(often - 1 / 4)).toBeLessThan(0.01);
});

test.each([
  ['on other words', [store(1, 2), store(2, 3)], [store(0, 1)]],
  ['that only read', [load(0), load(0)], [load(0)]],
])('steps %s are ordered by one draw', (_, two, one) => {
  // The one step comes last if its priority is the lowest of three.
  const often = frequency(orders(new Toy([one, two]), new PosStrategy(1), EXECUTIONS), /^110/);
  expect(Math.abs(often - 1 / 3)).toBeLessThan(0.01);
});

test('a CPU that becomes enabled draws anew', () => {
  // CPU 0 holds a lock from the start of the race to its end; CPU 1 waits for it. Whoever is
  // enabled by the release has the same chance as CPU 2 to be first.
  const lock = { op: GATE.acquire, at: 0, value: 1 };
  const toy = new Toy([[lock, store(0, 0)], [lock, store(0, 0)], [store(1, 1)]]);
  const found = orders(toy, new PosStrategy(1), EXECUTIONS);
  const afterRelease = found.filter((order) => order.startsWith('00'));
  // CPU 2 still has the priority that lost twice; that of CPU 1 is new.
  expect(frequency(afterRelease, /^001/)).toBeGreaterThan(0.7);
});
