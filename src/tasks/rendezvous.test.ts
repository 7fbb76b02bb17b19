/** Facts about meetings: what holds when the CPUs meet, and that they meet however a run ends. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTROL, MARKS_MAX } from '#arena/layout/control';
import { PERCPU, TLB_STATE } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { machineFor, plan, randomly } from '#explore/small.suite';
import type { Strategy } from '#explore/strategy';
import { mapOf } from '#scenario/map-op.suite';
import type { Op } from '#scenario/plan';
import { cpuMain } from './cpu-main.ts';
import { TestMachine } from './machine.suite.ts';

const whole = { region: 0, extent: 'whole', share: 'all' } as const;
const own = { region: 0, extent: 'whole', share: 'own' } as const;
const write = { op: 'touch', access: 'write', pages: 'one-per-slot' } as const;
const MMAP: Op = mapOf(0);
const meet = (phase: string): Op => ({ op: 'rendezvous', phase });

function makeOne(columns: Op[][]): TestMachine {
  const regions = [{ name: 'heap', pages: 128, flags: [], gapPages: 0 }];
  const more = { cpus: 1, regions, setup: [MMAP], columns, protocol: 'pt-reclaim' };
  return new TestMachine(more, { cpus: 1 }, false);
}

describe('a mark', () => {
  test('says how many tables there were when its phase began', () => {
    const dontneed: Op = { op: 'dontneed', ...whole };
    const machine = makeOne([[{ ...write, ...whole }, meet('full'), dontneed, meet('empty')]]);
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
    expect(peek(CONTROL.marks)).toBe(2);
    expect(peek(CONTROL.markTables) - peek(CONTROL.markTables + 1)).toBe(16);
    expect(peek(CONTROL.markBegan + 1)).toBeGreaterThanOrEqual(peek(CONTROL.markBegan));
  });

  test('beyond the last place for marks is not set', () => {
    const machine = makeOne([Array.from({ length: MARKS_MAX + 2 }, (_, i) => meet(`p${i}`))]);
    const after = peek(CONTROL.arrived);
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
    expect([peek(CONTROL.marks), peek(CONTROL.arrived)]).toEqual([MARKS_MAX, after]);
  });
});

test('a CPU that waits is quiescent for RCU and has left the address space', () => {
  const machine = makeOne([[{ ...write, ...whole }, meet('idle'), { ...write, ...whole }]]);
  const { block } = machine.cpu(0);
  const found: number[][] = [];
  const look = () => found.push([peek(block + PERCPU.rcuSeen), peek(block + PERCPU.tlbState)]);
  machine.meanwhile(0, 'load', CONTROL.round, () => {});
  machine.meanwhile(0, 'load', CONTROL.round, look);
  expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
  expect([found, machine.unplayed(), machine.facts()]).toEqual([[[0, TLB_STATE.out]], [], []]);
});

/** Picks by chance, and tells the run to stop at its step `stopAt`. */
function stopping(seed: number, stopAt: number, words: Int32Array): Strategy {
  const chance: Strategy = randomly(seed);
  let step = 0;
  return {
    begin: (execution, cpus, standing) => chance.begin(execution, cpus, standing),
    choose: (cpu, alternatives) => chance.choose(cpu, alternatives),
    pick(enabled, running) {
      if (step++ === stopAt) words[CONTROL.stop] = 1;
      return chance.pick(enabled, running);
    },
  };
}

describe('CPUs that meet', async () => {
  const fill: Op[] = [{ ...write, ...own }, meet('full')];
  const columns: Op[][] = [
    [...fill, { op: 'dontneed', ...whole }, meet('empty'), { ...write, ...own }],
    [...fill, meet('empty'), { ...write, ...own }],
  ];
  const regions = [{ name: 'heap', pages: 16, flags: [], gapPages: 0 }];
  const machine = await machineFor(null, plan('pt-reclaim', columns, { regions }));
  const { words } = machine;

  property([fc.nat()])('have all done what comes before, and nothing of what follows', (seed) => {
    expect(machine.execute(randomly(seed), 0)).toMatchObject({ end: 'done', verdicts: [] });
    const tables = [words[CONTROL.markTables]!, words[CONTROL.markTables + 1]!];
    expect([words[CONTROL.marks], tables[0]! - tables[1]!]).toEqual([2, 4]);
  });

  property([fc.nat(), fc.nat({ max: 300 })])('part again when told to stop', (seed, stopAt) => {
    const strategy = stopping(seed, stopAt, words);
    expect(machine.execute(strategy, 0)).toMatchObject({ end: 'done', verdicts: [] });
    expect(words[CONTROL.marks]).toBeLessThanOrEqual(2);
  });

  test('begin no phase after they were told to stop', () => {
    expect(machine.execute(stopping(1, 0, words), 0).end).toBe('done');
    expect(words[CONTROL.marks]).toBe(0);
  });
});
