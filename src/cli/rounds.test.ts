/** Several rounds: in which order they are run, and which of them is reported. */
import { describe, expect, test } from 'vitest';
import type { Run } from '#result/result';
import { sampleRun } from '#result/sample.suite';
import { parseResult } from '#result/schema';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';
import { reportedRun } from './rounds.ts';

const violation = { kind: 'lost-entry', message: 'entry 17 was lost', cpus: [0], replay: null };
const unmet = { figure: 'pteTables', phase: null, min: null, max: 1, found: 2, met: false };

/** A run of so many faults in each of its ten seconds. */
function runOf(perSecond: number, more: Partial<Run> = {}): Run {
  const pages = { faulted: 10 * perSecond, zapped: 0, perSecond: 0 };
  return sampleRun({ seconds: 10, pages, note: `${perSecond}`, ...more });
}

/** Which run is reported, and the throughput of each round. */
function reported(...runs: Run[]): [note: string | null, perSecond: number[]] {
  const { note, rounds } = reportedRun(runs);
  expect(rounds.n).toBe(rounds.perSecond.length);
  return [note, rounds.perSecond];
}

describe('of several rounds is reported', () => {
  test('the one with the median throughput', () => {
    expect(reported(runOf(30), runOf(10), runOf(20))).toEqual(['20', [30, 10, 20]]);
    expect(reported(runOf(9), runOf(100), runOf(8), runOf(10))).toEqual(['9', [9, 100, 8, 10]]);
    expect(reported(runOf(7))).toEqual(['7', [7]]);
  });

  test('one that did not pass instead, a violation first', () => {
    const violated = runOf(1, { violations: [violation] });
    const late = runOf(2, { exit: 'deadline' });
    const other = runOf(3, { expectations: [unmet] });
    expect(reported(runOf(10), other, runOf(20))[0]).toBe('3');
    expect(reported(other, runOf(20), late)[0]).toBe('2');
    expect(reported(other, late, violated, runOf(4))[0]).toBe('1');
    expect(reported(runOf(5, { violations: [violation] }), violated)[0]).toBe('5');
  });

  test('a whole one before one that was interrupted', () => {
    const stopped = runOf(15, { exit: 'interrupted' });
    expect(reported(runOf(10), runOf(20), stopped)).toEqual(['10', [10, 20]]);
    expect(reported(stopped)).toEqual(['15', [15]]);
    const found = runOf(15, { exit: 'interrupted', violations: [violation] });
    expect(reported(runOf(10), found)[0]).toBe('15');
  });
});

describe('--rounds', () => {
  const all = ['none', 'async-scanner', 'pt-reclaim'];

  test('alternates the order, and keeps one run for each protocol', async () => {
    const rates = new Map(Object.entries({ none: 40, 'async-scanner': 10, 'pt-reclaim': 90 }));
    const { code, plans, stdout } = await say(['run', 'churn', '--rounds', '3', '--json', '-'], {
      run({ protocol }) {
        const rate = rates.get(protocol)! + 1;
        rates.set(protocol, rate);
        return runOf(rate, { protocol });
      },
    });
    const order = [all, [...all].reverse(), all].flat();
    expect(plans.map((plan) => plan.protocol)).toEqual(order);
    expect(new Set(plans.map((plan) => plan.seed)).size).toBe(1);
    expect(code).toBe(EXIT.well);
    const { runs } = parseResult(stdout, 'stdout');
    expect(runs.map(({ protocol, note, rounds }) => [protocol, note, rounds])).toEqual([
      ['none', '42', { n: 3, perSecond: [41, 42, 43] }],
      ['async-scanner', '12', { n: 3, perSecond: [11, 12, 13] }],
      ['pt-reclaim', '92', { n: 3, perSecond: [91, 92, 93] }],
    ]);
  });

  test('is one unless said otherwise', async () => {
    const { plans } = await say(['run', 'churn']);
    expect(plans.map((plan) => plan.protocol)).toEqual(all);
  });

  test('finds a violation in any of them', async () => {
    let left = 5;
    const { code, stdout } = await say(['run', 'churn', '--rounds', '2'], {
      run: ({ protocol }) =>
        runOf(1, { protocol, ...(--left === 0 ? { violations: [violation] } : {}) }),
    });
    expect(code).toBe(EXIT.found);
    expect(stdout).toMatch(/^churn under async-scanner\nVIOLATED: 1 violation/m);
    expect(stdout).toContain('Median of 2 rounds');
  });

  test('keeps whole rounds when it is interrupted', async () => {
    const interruption = new AbortController();
    let left = 5;
    const { code, plans, stdout } = await say(['run', 'churn', '--rounds', '2', '--json', '-'], {
      signal: interruption.signal,
      run({ protocol }) {
        if (--left > 0) return runOf(left, { protocol });
        interruption.abort();
        return runOf(99, { protocol, exit: 'interrupted' });
      },
    });
    expect(code).toBe(EXIT.interrupted);
    expect(plans).toHaveLength(5);
    const { runs } = parseResult(stdout, 'stdout');
    expect(runs.map(({ protocol, exit, rounds }) => [protocol, exit, rounds.perSecond])).toEqual([
      ['none', 'pass', [4]],
      ['async-scanner', 'pass', [3]],
      ['pt-reclaim', 'pass', [2, 1]],
    ]);
  });

  test('counts as interrupted when rounds are missing, though all runs passed', async () => {
    const interruption = new AbortController();
    let left = 4;
    const { code, plans } = await say(['run', 'churn', '--rounds', '2'], {
      signal: interruption.signal,
      run({ protocol }) {
        if (--left === 0) interruption.abort();
        return runOf(1, { protocol });
      },
    });
    expect([code, plans.length]).toEqual([EXIT.interrupted, 4]);
  });

  test.each(['0', '21', '1.5', 'two'])('%s is refused', async (rounds) => {
    const { code, stderr, plans } = await say(['run', 'churn', '--rounds', rounds]);
    expect([code, plans]).toEqual([EXIT.wrong, []]);
    expect(stderr).toMatch(/^--rounds .* allowed: 1 to 20\n$/);
  });

  test('shows how far it is', async () => {
    const { stderr } = await say(['run', 'churn', '--rounds', '2'], {
      isTerminal: true,
      run({ protocol }, hooks) {
        const progress = { seconds: 2, vmpteKiB: 1, faultsPerSecond: 1, facts: 0 };
        hooks.onProgress?.({ phase: 'main', ...progress });
        return runOf(1, { protocol });
      },
    });
    expect(stderr).toContain('churn under pt-reclaim (4 of 6): main');
  });
});
