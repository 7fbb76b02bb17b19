/** Systematic search: each trace once, none left out. */

import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { modelM1, modelM2, modelM3 } from '../../../bench/models.ts';
import { type Model, ModelMachine } from '../model-machine.ts';
import { DporStrategy } from './dpor.ts';
import { EveryOrder } from './every-order.suite.ts';
import { type Program, type ProgramOp, programs, RandomModel } from './random-model.suite.ts';

const EVERYTHING = [
  ...['read', 'write', 'add', 'compareExchange', 'wait', 'peekThenPoke'],
  ...['follow', 'locked', 'trylocked'],
] as ProgramOp['op'][];

/** All traces, and all final states and deadlocks, from all orders or from a search. */
function reached(program: Program, strategy: EveryOrder | DporStrategy) {
  const model = new RandomModel(program);
  const machine = new ModelMachine(model);
  const states = new Set<string>();
  const traces = new Set<string>();
  for (let n = 0; n < 60_000; n++) {
    // Replayed by the observer, so that both are told in the same words.
    model.watch = { quiet: (...access) => strategy.watch?.quiet(...access) };
    const { end } = machine.execute(strategy, n);
    if (end === 'exhausted') return { states, traces };
    if (end === 'abandoned') continue;
    states.add(`${end} ${machine.words.join()}`);
    if (strategy instanceof EveryOrder) traces.add(strategy.trace);
  }
  return null;
}

/** What a search found, against all orders; null where those are too many. */
function compare(program: Program) {
  const every = reached(program, new EveryOrder());
  if (every === null) return null;
  const dpor = new DporStrategy();
  const found = reached(program, dpor)!;
  expect([...found.states].sort()).toEqual([...every.states].sort());
  return { explored: dpor.explored, traces: every.traces.size };
}

describe('random programs', () => {
  property([programs(EVERYTHING)], { numRuns: 500 })(
    'reach the same final states and deadlocks as in all orders, one execution a trace',
    (program) => {
      const compared = compare(program);
      if (compared !== null) expect(compared.explored).toBe(compared.traces);
    },
  );

  property([programs([...EVERYTHING, 'choose'])], { numRuns: 250 })(
    'reach the same final states with choices',
    (program) => {
      const compared = compare(program);
      if (compared !== null) expect(compared.explored).toBeGreaterThanOrEqual(compared.traces);
    },
  );
});

// Found by these properties. In the first two, a step that wakes a CPU keeps it from the quiet
// change with which the third one's read raced; in the last, all that is awake waits.
test.each([
  [
    'a write wakes what would have changed a word',
    5,
    [
      [
        { op: 'compareExchange', at: 1, value: 1 },
        { op: 'peekThenPoke', at: 1, value: 2 },
      ],
      [
        { op: 'trylocked', at: 1, value: 0, lock: 0 },
        { op: 'read', at: 0 },
      ],
      [{ op: 'read', at: 2 }],
    ],
  ],
  [
    'an addition wakes it, after a choice',
    20,
    [
      [
        { op: 'read', at: 1 },
        { op: 'locked', at: 0, value: 0, lock: 0 },
      ],
      [
        { op: 'choose', at: 0, value: 1 },
        { op: 'peekThenPoke', at: 1, value: 1 },
      ],
      [{ op: 'read', at: 2 }],
    ],
  ],
  [
    'one sleeps, one waits',
    23,
    [
      [
        { op: 'wait', at: 0, value: 1 },
        { op: 'trylocked', at: 0, value: 1, lock: 1 },
      ],
      [
        { op: 'wait', at: 0, value: 2 },
        { op: 'locked', at: 1, value: 2, lock: 1 },
      ],
      [
        { op: 'add', at: 0 },
        { op: 'add', at: 0 },
      ],
    ],
  ],
] satisfies [string, number, Program][])('no trace is missed where %s', (_, traces, program) => {
  expect(compare(program)).toEqual({ explored: traces, traces });
});

/** All traces, counted from all orders. */
function traces(model: Model): number {
  const machine = new ModelMachine(model);
  const every = new EveryOrder();
  const seen = new Set<string>();
  for (let n = 0; machine.execute(every, n).end !== 'exhausted'; n++) seen.add(every.trace);
  return seen.size;
}

interface Searched {
  readonly explored: number;
  readonly abandoned: number;
  readonly violations: number;
  /** The first execution with a violation, counted from 1. */
  readonly first: number;
  readonly seconds: number;
}

function search(model: Model): Searched {
  const machine = new ModelMachine(model);
  const dpor = new DporStrategy();
  const before = performance.now();
  let violations = 0;
  let first = 0;
  for (let n = 0; ; n++) {
    const { end, verdicts } = machine.execute(dpor, n);
    if (end === 'exhausted') break;
    if (verdicts.length > 0 && violations++ === 0) first = n + 1;
  }
  const seconds = (performance.now() - before) / 1000;
  const { explored, abandoned } = dpor;
  return { explored, abandoned, violations, first, seconds };
}

describe('the models', () => {
  test.each([
    ['M1', modelM1(), 3],
    ['M2', modelM2(), 15],
    ['M3', modelM3(), 5],
  ])('%s has as many whole executions as traces', (_, model, count) => {
    expect(traces(model)).toBe(count);
    const { explored, abandoned, violations } = search(model);
    expect({ explored, violations }).toEqual({ explored: count, violations: 0 });
    expect(abandoned).toBeLessThanOrEqual(1);
  });

  test.each([
    ['M1', modelM1(true)],
    ['M2', modelM2(1, true)],
    ['M3', modelM3(true)],
  ])('what is wrong with the broken %s is found', (_, model) => {
    const { violations, first } = search(model);
    expect(violations).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(30);
  });
  test('M2 with five walkers comes to its end', () => {
    const { explored, abandoned, seconds } = search(modelM2(5));
    expect(explored).toBe(19_803);
    expect(abandoned).toBeLessThan(10_000);
    // 0.4 s on a quiet machine.
    expect(seconds).toBeLessThan(15);
  });
});
