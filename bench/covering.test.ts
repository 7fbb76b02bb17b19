/** The six machines show every pair of settings in every combination. */
import { expect, test } from 'vitest';
import { MACHINES, type PairwiseMachine, wordsOf } from './covering.ts';

test('every pair of settings takes all four combinations', () => {
  const settings = Object.keys(MACHINES[0]!) as (keyof PairwiseMachine)[];
  for (const [i, a] of settings.entries())
    for (const b of settings.slice(i + 1)) {
      const pairs = new Set(MACHINES.map((machine) => `${machine[a]} ${machine[b]}`));
      expect(pairs.size, `${a} and ${b}`).toBe(4);
    }
});

test('a machine is told as flags', () => {
  expect(MACHINES.map(wordsOf)).toContain('--cpus 2');
  expect(MACHINES.map(wordsOf)).toContain('--cpus 8 --noise 20 --alloc-fail 2000');
});
