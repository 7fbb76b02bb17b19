import { describe, expect, test } from 'vitest';
import { makeOrder, ORDER } from '#arena/enforced';
import { CONTROL, PHASE } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import { GEOMETRY } from '#tasks/machine.suite';
import { doAllWait, freeWaits } from './free-waits.ts';

const CPUS = 3;
const map = arenaMap({ ...GEOMETRY, cpus: CPUS });
const { round } = CONTROL;
/** A word that is neither 0 nor what `look` calls changed. */
const LOCK = map.mm;

/** Three CPUs, each with the word it sleeps for, or 0; `changed`: those words have new values. */
function look(phase: number, ended: number, waitAts: readonly number[], changed: number[] = []) {
  const order = makeOrder(CPUS, new Int32Array(0), new Int32Array(0), 0, true, false);
  order[ORDER.ended] = ended;
  const words = new Int32Array(new SharedArrayBuffer(4 * map.sizeWords));
  words[CONTROL.phase] = phase;
  for (const [cpu, at] of waitAts.entries()) {
    const block = map.percpu + cpu * map.percpuWords;
    words[block + PERCPU.waitAt] = at;
    words[block + PERCPU.waitSeen] = 7;
    words[at] = 7;
  }
  for (const at of changed) words[at] = 8;
  return { order, words };
}

describe('all CPUs wait', () => {
  test.each([
    ['where each sleeps', PHASE.main, 0, [LOCK, LOCK, LOCK]],
    ['where the others have ended', PHASE.main, 2, [0, LOCK, 0]],
    ['where the others have come to the meeting', PHASE.fair, 3, [LOCK, round, round]],
    ['where the last one does, at the exit', PHASE.exit, 3, [LOCK, 0, 0]],
  ])('%s', (_, phase, ended, waitAts) => {
    const { order, words } = look(phase, ended, waitAts);
    expect(doAllWait(order, words, map)).toBe(true);
  });
});

describe('not all CPUs wait', () => {
  test.each([
    ['where one is awake', PHASE.main, 0, [LOCK, LOCK, 0], []],
    ['where all have ended', PHASE.main, 3, [0, 0, 0], []],
    ['where CPU 0 is about to begin the fair phase', PHASE.main, 3, [0, round, round], []],
    ['where what they waited for has come', PHASE.fair, 3, [LOCK, LOCK, LOCK], [LOCK]],
    ['where the last one works, at the exit', PHASE.exit, 3, [0, round, round], []],
  ])('%s', (_, phase, ended, waitAts, changed) => {
    const { order, words } = look(phase, ended, waitAts, changed);
    expect(doAllWait(order, words, map)).toBe(false);
  });

  test('where an interrupt wants to be served', () => {
    const { order, words } = look(PHASE.main, 0, [LOCK, LOCK, LOCK]);
    words[map.percpu + map.percpuWords + PERCPU.ipiWanted]! += 1;
    expect(doAllWait(order, words, map)).toBe(false);
  });
});

test('a meeting is nothing that a CPU waits for', () => {
  const { words } = look(PHASE.fair, 3, [LOCK, round, 0]);
  expect(freeWaits(words, map, CPUS)).toEqual([{ cpu: 0, at: LOCK, seen: 7 }]);
});
