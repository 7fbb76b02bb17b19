/** Facts about the door: waiting and waking, what is gated, and the quiet accesses. */
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bindArena } from './arena.ts';
import { nowMs, setClock } from './clock.ts';
import { type CpuRef, GATE, GATE_NAMES, setGate } from './gate.ts';
import { Halted } from './halt.ts';
import { CONTROL, SLEEPER_BUCKETS } from './layout/control.ts';
import { PERCPU, TLB_STATE } from './layout/percpu.ts';
import { LINE_WORDS } from './layout/struct.ts';
import { type ArenaMap, arenaMap, type Geometry } from './map.ts';
import { NoisyGate } from './noise.ts';
import * as door from './word.ts';

const GEOMETRY: Geometry = {
  ...{ cpus: 2, ptrsShift: 3, levels: 4, tables: 4, bodies: 4, pages: 8, vmas: 4 },
  ...{ gatherPages: 4, batch: 2, backing: 'fixed' },
};
const AT = CONTROL.torture;

let map: ArenaMap;
let words: door.Words;
let cpu: CpuRef;

beforeEach(() => {
  const buffer = new SharedArrayBuffer(4 * arenaMap(GEOMETRY).sizeWords);
  map = bindArena(buffer, GEOMETRY, 0);
  words = door.boundWords();
  cpu = { id: 0, block: map.percpu };
});

afterEach(() => {
  setGate(null);
  setClock(null);
  vi.restoreAllMocks();
});

/** Words of the sleepers' buckets that are not zero. */
function sleepers(): number {
  let sum = 0;
  for (let i = 0; i < SLEEPER_BUCKETS; i++) sum += words[CONTROL.sleepers + i * LINE_WORDS]!;
  return sum;
}

describe('a sleep', () => {
  const wanted = (): number => cpu.block + PERCPU.ipiWanted;

  test('lasts its time', () => {
    expect(door.sleepUntil(cpu, (nowMs() + 3) | 0)).toBe(false);
    expect(door.sleepUntil(cpu, nowMs())).toBe(false);
  });

  test('ends at an interrupt, at a stop and at a halt', () => {
    const late = (nowMs() + 60_000) | 0;
    words[wanted()] = 1;
    expect(door.sleepUntil(cpu, late)).toBe(true);
    words[cpu.block + PERCPU.ipiServed] = 1;
    for (const word of [CONTROL.stop, CONTROL.halt]) {
      words[word] = 1;
      expect(door.sleepUntil(cpu, late)).toBe(false);
      words[word] = 0;
    }
  });

  test('waits for the interrupt itself, so that none is missed', () => {
    const sleep = vi.spyOn(Atomics, 'wait').mockImplementation((_, at) => {
      words[wanted()] = 1;
      expect(at).toBe(wanted());
      return 'ok';
    });
    expect(door.sleepUntil(cpu, (nowMs() + 60_000) | 0)).toBe(true);
    expect(sleep).toHaveBeenCalledTimes(1);
    const wake = vi.spyOn(Atomics, 'notify');
    words[cpu.block + PERCPU.tlbState] = TLB_STATE.lazy;
    door.kick(cpu.block);
    expect(wake.mock.calls.map(([, at]) => at)).toEqual([wanted()]);
  });

  test('is one step where the clock counts steps', () => {
    const sleep = vi.spyOn(Atomics, 'wait');
    let now = 5;
    let steps = 0;
    setClock(() => now);
    setGate({ pass: () => steps++ < 0 });
    expect(door.sleepUntil(cpu, 6)).toBe(true);
    now = 6;
    expect(door.sleepUntil(cpu, 6)).toBe(false);
    expect([steps, sleep.mock.calls.length]).toEqual([2, 0]);
  });
});

describe('waiting', () => {
  test('a sleeper announces itself, and is woken by a store from another thread', async () => {
    const root = new URL('../../dist/src/', import.meta.url).href;
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
      (async () => {
        const { bindArena } = await import(workerData.root + 'arena/arena.js');
        const { waitWhile } = await import(workerData.root + 'arena/word.js');
        const map = bindArena(workerData.buffer, workerData.geometry, 10);
        const block = map.percpu + map.percpuWords;
        waitWhile({ id: 1, block }, workerData.at, 7);
        parentPort.postMessage(new Int32Array(workerData.buffer)[workerData.at]);
      })();`,
      {
        eval: true,
        execArgv: [],
        workerData: { buffer: words.buffer, geometry: GEOMETRY, at: AT, root },
      },
    );
    words[AT] = 7;
    const woken = new Promise((resolve) => worker.once('message', resolve));
    const block = map.percpu + map.percpuWords;
    await vi.waitUntil(() => words[block + PERCPU.waitAt] === AT && sleepers() === 1, {
      timeout: 20_000,
      interval: 1,
    });
    expect(words[block + PERCPU.waitSeen]).toBe(7);
    door.storeAndWake(cpu, AT, 8);
    expect(await woken).toBe(8);
    expect([words[block + PERCPU.waitAt], sleepers()]).toEqual([0, 0]);
    await worker.terminate();
  });

  test('does not begin while the word differs from what was seen', () => {
    words[CONTROL.halt] = 1;
    words[AT] = 3;
    door.waitWhile(cpu, AT, 7);
    expect(words[cpu.block + PERCPU.waitAt]).toBe(0);
  });

  test('throws Halted once the machine has halted', () => {
    words[CONTROL.halt] = 1;
    expect(() => door.waitWhile(cpu, AT, 0)).toThrow(Halted);
    expect(sleepers()).toBe(0);
  });

  test.each([
    ['storeAndWake', () => door.storeAndWake(cpu, AT, 1)],
    ['addAndWake', () => door.addAndWake(cpu, AT, 1)],
    ['wake', () => door.wake(AT)],
  ])('%s notifies only where somebody sleeps', (_name, act) => {
    const notify = vi.spyOn(Atomics, 'notify');
    act();
    expect(notify).not.toHaveBeenCalled();
    for (let i = 0; i < SLEEPER_BUCKETS; i++) words[CONTROL.sleepers + i * LINE_WORDS] = 1;
    act();
    expect(notify).toHaveBeenCalledWith(words, AT);
  });
});

describe('a sleep', () => {
  test('lasts its time', () => {
    const before = nowMs();
    expect(door.sleepUntil(cpu, before + 15)).toBe(false);
    expect((nowMs() - before) | 0).toBeGreaterThanOrEqual(15);
  });

  test.each(['halt', 'stop'] as const)('ends at once on %s', (word) => {
    words[CONTROL[word]] = 1;
    const sleep = vi.spyOn(Atomics, 'wait');
    expect(door.sleepUntil(cpu, (nowMs() + 5000) | 0)).toBe(false);
    expect(sleep).not.toHaveBeenCalled();
  });
});

/** Each gated function with its kind of passage. */
const GATED: [string, number, () => unknown][] = [
  ['load', GATE.load, () => door.load(cpu, AT)],
  ['store', GATE.store, () => door.store(cpu, AT, 1)],
  ['storeAndWake', GATE.store, () => door.storeAndWake(cpu, AT, 1)],
  ['exchange', GATE.exchange, () => door.exchange(cpu, AT, 1)],
  ['compareExchange', GATE.compareExchange, () => door.compareExchange(cpu, AT, 0, 1)],
  ['add', GATE.add, () => door.add(cpu, AT, 1)],
  ['addAndWake', GATE.add, () => door.addAndWake(cpu, AT, 1)],
  ['read', GATE.read, () => door.read(cpu, AT)],
  ['write', GATE.write, () => door.write(cpu, AT, 1)],
  ['waitWhile', GATE.wait, () => door.waitWhile(cpu, AT, 5)],
];

describe('the gate', () => {
  test.each(GATED)('is passed once by %s, before the access', (_name, op, act) => {
    const passages: number[][] = [];
    setGate({
      pass: (_cpu, kind, at) => {
        passages.push([kind, at, words[AT]!]);
        return false;
      },
    });
    act();
    expect(passages).toEqual([[op, AT, 0]]);
  });

  test('is not passed by quiet accesses', () => {
    const pass = vi.fn(() => false);
    setGate({ pass });
    door.poke(AT, 4);
    door.bump(AT, 3);
    door.quietAdd(AT, 1);
    door.quietMax(AT, 5);
    expect([door.peek(AT), door.quietLoad(AT)]).toEqual([8, 8]);
    door.quietMax(AT, 11);
    expect(door.peek(AT)).toBe(11);
    door.quietStore(AT, 2);
    door.fill(AT, 3, 9);
    expect([...words.subarray(AT, AT + 4)]).toEqual([9, 9, 9, 0]);
    expect(pass).not.toHaveBeenCalled();
  });

  test('has a name for each kind of passage', () => {
    expect(GATE_NAMES.map((name) => GATE[name as keyof typeof GATE])).toEqual(
      GATE_NAMES.map((_, i) => i),
    );
  });

  test('with noise changes nothing but time', () => {
    const noisy = new NoisyGate(1, 2, 100);
    const sleep = vi.spyOn(Atomics, 'wait');
    const before = words.slice();
    let yielded = false;
    for (let i = 0; i < 20_000; i++) yielded = noisy.pass(cpu) || yielded;
    expect(yielded).toBe(false);
    expect(words.slice()).toEqual(before);
    expect(sleep).toHaveBeenCalled();
  });

  test('with noise is repeatable, and less noise sleeps less', () => {
    const waits = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    const times = (level: number): unknown[] => {
      waits.mockClear();
      const noisy = new NoisyGate(3, 1, level);
      for (let i = 0; i < 50_000; i++) noisy.pass(cpu);
      return waits.mock.calls.map((call) => call[3]);
    };
    const full = times(100);
    expect(times(100)).toEqual(full);
    expect(times(20).length).toBeLessThan(full.length);
  });
});

test('the clock can be replaced and given back', () => {
  setClock(() => 42);
  expect(nowMs()).toBe(42);
  setClock(null);
  expect(nowMs()).not.toBe(42);
});
