/** What all strategies have in common, and that each finds what it is for. */
import { describe, expect, test } from 'vitest';
import { editNamed } from '#catalogue/named.suite';
import { modelM1, modelM3 } from '../../../bench/models.ts';
import { ModelMachine } from '../model-machine.ts';
import { machineFor, PLANS } from '../small.suite.ts';
import { RandomStrategy } from './random.ts';
import { isSystematic, makeStrategy, STRATEGIES, type StrategyName } from './registry.ts';
import { alone, orders, store, Toy } from './toy.suite.ts';

const NAMES = STRATEGIES.map(({ name }) => name);

describe.each(NAMES)('%s', (name) => {
  const column = (cpu: number) => [...alone(cpu, 2), { ...store(0, cpu), choices: 3 }, store(1, 1)];
  const toy = () => new Toy([column(0), column(1), column(2)]);
  const series = (seed: number) => orders(toy(), makeStrategy(name, { seed }), 40);

  test('repeats its series under the same seed', () => {
    expect(series(5)).toEqual(series(5));
    expect(new Set(series(5)).size).toBeGreaterThan(20);
  });

  test('another seed is another series, unless it is systematic', () => {
    expect(series(5).join() === series(6).join()).toBe(isSystematic(name));
  });

  test.each([
    ['M1', modelM1(true)],
    ['M3', modelM3(true)],
  ])('finds what is broken in %s', (_, model) => {
    expect(firstFailure(new ModelMachine(model), name, 1, 5000)).toBeLessThan(5000);
  });

  test('finds nothing in M1', () => {
    const found = firstFailure(new ModelMachine(modelM1()), name, 1, 2000);
    expect(found).toBe(isSystematic(name) ? null : 2000);
  });
});

test.each(['random', 'pos'] as const)(
  '%s repeats one execution taken out of its series',
  (name) => {
    const toy = new Toy([alone(0, 9), alone(1, 9)]);
    const series = orders(toy, makeStrategy(name, { seed: 3 }), 12);
    toy.execute(makeStrategy(name, { seed: 3 }), 11);
    expect(toy.order()).toBe(series[11]);
  },
);

const CAUGHT: readonly (readonly [StrategyName, string, keyof typeof PLANS])[] = [
  ['pct', 'direct-after-drop', 'faultVsZap'],
  ['pct', 'scan-no-pmd-same', 'scannerVsScanner'],
  ['pos', 'no-pmd-recheck', 'faultVsZap'],
  ['pos', 'scan-drops-ptl', 'faultVsScanner'],
  ['dfs', 'direct-after-drop', 'faultVsZap'],
];

test.each(CAUGHT)('%s finds the edit %s', async (name, broken, plan) => {
  const machine = await machineFor(editNamed(broken), PLANS[plan]);
  expect(firstFailure(machine, name, 1, 1000)).toBeLessThan(1000);
});

// The model by which strategies are compared: chance that knows nothing rarely meets its bug.
test('what is broken in M3 is rare, and POS finds it soon all the same', () => {
  const machine = new ModelMachine(modelM3(true));
  const uniform = new RandomStrategy(1, 500_000);
  let found = 0;
  for (let n = 0; n < 50_000; n++) found += machine.execute(uniform, n).verdicts.length;
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThan(50);
  const firsts = Array.from({ length: 25 }, (_, i) => firstFailure(machine, 'pos', i + 1, 5000));
  expect(firsts.toSorted((a, b) => a! - b!)[12]).toBeLessThan(150);
});

test('options have their ranges', () => {
  expect(makeStrategy('pct', { seed: 1 })).toMatchObject({ depth: 3 });
  expect(makeStrategy('pct', { seed: 1, depth: 16 })).toMatchObject({ depth: 16 });
  const message = '--depth 17: expected an integer from 1 to 16';
  expect(() => makeStrategy('pct', { seed: 1, depth: 17 })).toThrow(message);
  expect(() => makeStrategy('dfs', { seed: 1, bound: -1 })).toThrow('--bound -1: expected');
  expect(() => makeStrategy('dfs', { seed: 1, bound: 0.5 })).toThrow('--bound 0.5: expected');
});

/** How many executions found nothing; null: the strategy has none left. */
function firstFailure(
  machine: Pick<ModelMachine, 'execute'>,
  name: StrategyName,
  seed: number,
  executions: number,
): number | null {
  const strategy = makeStrategy(name, { seed });
  for (let execution = 0; execution < executions; execution++) {
    const { end, verdicts } = machine.execute(strategy, execution);
    if (verdicts.length > 0) return execution;
    if (end === 'exhausted') return null;
  }
  return executions;
}
