/** Facts about percpu refs: both modes, the switches between them, and a model of it all. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTROL } from '#arena/layout/control';
import { LOCK_RECORD, PERCPU, RCU_QUEUE_MAX } from '#arena/layout/percpu';
import {
  REF,
  REF_ATOMIC,
  REF_BIAS,
  REF_CONFIRM,
  REF_MODE,
  REF_SHIFT,
} from '#arena/layout/percpu-ref';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { rcuOperationEnd } from '#mm/rcu-free';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';
import {
  bindPercpuRefs,
  percpuRefFinishAwaited,
  percpuRefGet,
  percpuRefInit,
  percpuRefIsZero,
  percpuRefPut,
  percpuRefSwitchDone,
  percpuRefSwitchToAtomic,
  percpuRefSwitchToAtomicSync,
  percpuRefSwitchToPercpu,
  percpuRefTryGet,
  percpuRefValue,
} from './percpu-ref.ts';
import { rcuBoundary, rcuOffline, rcuReadLock, rcuReadUnlock } from './rcu.ts';
import { callRcu, RCU_KIND, rcuPending } from './rcu-callbacks.ts';
import { spinLock, spinUnlock } from './spinlock.ts';

const CPUS = 3;
const REFS = 4;
/** The ref of most tests, with others on both sides. */
const N = 2;

let machine: TestMachine;
/** Place of ref 0, and of the count of ref N. */
let base: number;
let counts: number;

function boot(
  patches: { perRefSwitchLock?: boolean; stableSync?: boolean; rcu?: Form } = {},
): void {
  const { perRefSwitchLock = false, stableSync = true, rcu = 'qsbr' } = patches;
  machine = new TestMachine({ rcu }, { tableWords: REF.sizeWords, tableCpuWords: 1 });
  const { tableWords, tableCpuWords, tableCpuStride } = machine.map;
  const places = { base: tableWords, locals: tableCpuWords, stride: tableCpuStride, cpus: CPUS };
  bindPercpuRefs({ ...places, perRefSwitchLock, stableSync });
  base = tableWords;
  counts = tableWords + N * REF.sizeWords + REF.count;
  for (let n = 0; n < REFS; n++) percpuRefInit(machine.cpu(0), n);
}

type Form = Plan['rcu'];

const countWord = (): number => peek(counts);
const mode = (n = N): number => peek(base + n * REF.sizeWords + REF.mode);
const confirm = (n = N): number => peek(base + n * REF.sizeWords + REF.confirm);
const local = (): number[] =>
  [0, 1, 2].map((id) => peek(machine.map.tableCpuWords + id * machine.map.tableCpuStride + N));
const counted = (...names: ('refAtomics' | 'refSwitches' | 'graceWaits')[]): number[] =>
  names.map((name) => machine.counter(name));

/** All CPUs pass so many operation boundaries that every grace period is over. */
function boundaries(): void {
  for (let i = 0; i < 4; i++) for (const cpu of machine.cpus) rcuOperationEnd(cpu);
}

beforeEach(() => boot());

test('the layout is as large as its shift says', () => {
  expect(REF.sizeWords).toBe(1 << REF_SHIFT);
});

describe('in percpu mode', () => {
  test('a new ref has one reference', () => {
    expect([percpuRefValue(N), mode(), countWord()]).toEqual([1, REF_MODE.percpu, REF_BIAS + 1]);
  });

  test('a ref that is made ready again has forgotten all', () => {
    percpuRefGet(machine.cpu(1), N);
    percpuRefSwitchToAtomic(machine.cpu(1), N);
    percpuRefInit(machine.cpu(0), N);
    expect([percpuRefValue(N), mode(), countWord()]).toEqual([1, REF_MODE.percpu, REF_BIAS + 1]);
    expect([confirm(), local()]).toEqual([REF_CONFIRM.none, [0, 0, 0]]);
  });

  test('each CPU writes a word of its own, and no shared one', () => {
    const shared = machine.words.slice(base, base + REFS * REF.sizeWords);
    percpuRefGet(machine.cpu(0), N);
    expect(percpuRefTryGet(machine.cpu(0), N)).toBe(true);
    percpuRefGet(machine.cpu(1), N);
    expect(percpuRefPut(machine.cpu(2), N)).toBe(false);
    expect(local()).toEqual([2, 1, -1]);
    expect(percpuRefValue(N)).toBe(3);
    expect(machine.words.slice(base, base + REFS * REF.sizeWords)).toEqual(shared);
    expect(counted('refAtomics', 'refSwitches', 'graceWaits')).toEqual([0, 0, 0]);
    expect([0, 1, 3].map(percpuRefValue)).toEqual([1, 1, 1]);
  });

  test('nobody is told of zero, and a reference can be taken from zero', () => {
    expect(percpuRefPut(machine.cpu(1), N)).toBe(false);
    expect(percpuRefValue(N)).toBe(0);
    expect(percpuRefIsZero(machine.cpu(0), N)).toBe(false);
    expect(percpuRefTryGet(machine.cpu(0), N)).toBe(true);
    expect(percpuRefValue(N)).toBe(1);
  });

  test('a switch to percpu mode changes nothing', () => {
    percpuRefGet(machine.cpu(1), N);
    percpuRefSwitchToPercpu(machine.cpu(0), N);
    expect([percpuRefValue(N), counted('refSwitches')]).toEqual([2, [0]]);
  });
});

describe('in atomic mode', () => {
  beforeEach(() => {
    percpuRefGet(machine.cpu(1), N);
    percpuRefGet(machine.cpu(1), N);
    percpuRefPut(machine.cpu(2), N);
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
  });

  test('the count is the value, and the bias is gone', () => {
    expect([countWord(), percpuRefValue(N), confirm()]).toEqual([2, 2, REF_CONFIRM.none]);
    expect([0, 1, 3].map((n) => mode(n))).toEqual([0, 0, 0]);
  });

  test('the put that reaches zero says so, and then nothing can be taken', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    const before = machine.counter('refAtomics');
    percpuRefGet(b, N);
    expect([percpuRefPut(a, N), percpuRefPut(b, N)]).toEqual([false, false]);
    expect([percpuRefIsZero(a, N), percpuRefTryGet(a, N), percpuRefPut(a, N)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([percpuRefPut(b, N), percpuRefIsZero(a, N)]).toEqual([true, true]);
    expect(percpuRefTryGet(a, N)).toBe(false);
    expect(machine.counter('refAtomics') - before).toBe(6);
    expect(local()).toEqual([0, 2, -1]);
  });

  test('a reference is taken although another CPU comes between', () => {
    machine.meanwhile(0, 'compareExchange', counts, () => {
      percpuRefGet(machine.cpu(1), N);
    });
    expect(percpuRefTryGet(machine.cpu(0), N)).toBe(true);
    expect(countWord()).toBe(4);
  });

  test('a reference is not taken if another CPU puts the last one first', () => {
    machine.meanwhile(0, 'compareExchange', counts, () => {
      percpuRefPut(machine.cpu(1), N);
      expect(percpuRefPut(machine.cpu(1), N)).toBe(true);
    });
    expect(percpuRefTryGet(machine.cpu(0), N)).toBe(false);
    expect(countWord()).toBe(0);
  });

  test('a switch to atomic mode needs no grace period', () => {
    const epoch = peek(CONTROL.rcuEpoch);
    percpuRefSwitchToAtomic(machine.cpu(1), N);
    percpuRefSwitchToAtomicSync(machine.cpu(2), N);
    expect([countWord(), peek(CONTROL.rcuEpoch) - epoch]).toEqual([2, 0]);
    expect(rcuPending(machine.cpu(1))).toBe(0);
  });

  test('a switch to percpu mode takes the value along', () => {
    percpuRefSwitchToPercpu(machine.cpu(2), N);
    expect([mode(), countWord()]).toEqual([REF_MODE.percpuAgain, (REF_BIAS + 2) | 0]);
    expect(local()).toEqual([0, 0, 0]);
    percpuRefGet(machine.cpu(2), N);
    expect(percpuRefValue(N)).toBe(3);
    expect(counted('refSwitches', 'graceWaits')).toEqual([2, 1]);
  });
});

describe('the synchronous switch', () => {
  test('takes one grace period each time', () => {
    for (let i = 1; i <= 3; i++) {
      const epoch = peek(CONTROL.rcuEpoch);
      percpuRefSwitchToAtomicSync(machine.cpu(0), N);
      expect(peek(CONTROL.rcuEpoch) - epoch).toBe(2);
      percpuRefSwitchToPercpu(machine.cpu(0), N);
      expect(counted('refSwitches', 'graceWaits')).toEqual([2 * i, i]);
    }
  });

  test('does not end while a reader is inside', () => {
    rcuReadLock(machine.cpu(1));
    expect(() => percpuRefSwitchToAtomicSync(machine.cpu(0), N)).toThrow('would wait for ever');
    rcuReadUnlock(machine.cpu(1));
  });

  test.each([true, false])('leaves no reference behind; stable: %s', (stableSync) => {
    boot({ stableSync });
    percpuRefPut(machine.cpu(1), N);
    for (const id of [0, 1]) percpuRefSwitchToAtomicSync(machine.cpu(id), N);
    expect([countWord(), percpuRefIsZero(machine.cpu(2), N)]).toEqual([0, true]);
  });

  test('sleeps: under a spinlock that is a fact', () => {
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    expect(machine.facts()).toEqual([]);
    spinLock(machine.cpu(0), CONTROL.torture, LOCK.ptl);
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    expect(machine.facts()).toEqual(['sleepInAtomic']);
  });

  test.each([percpuRefSwitchToPercpu, percpuRefSwitchToAtomic])(
    'is waited for, which is a fact under a spinlock, by $name',
    (waits) => {
      percpuRefSwitchToAtomic(machine.cpu(1), N);
      spinLock(machine.cpu(0), CONTROL.torture, LOCK.ptl);
      waits(machine.cpu(0), N);
      expect(machine.facts()).toEqual(['sleepInAtomic']);
    },
  );

  test('does not hold up the grace periods of others', () => {
    percpuRefSwitchToAtomic(machine.cpu(1), N);
    machine.meanwhile(0, 'wait', CONTROL.rcuEpoch, () => {
      expect(peek(machine.cpu(0).block + PERCPU.rcuSeen)).toBe(0);
    });
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    expect(machine.unplayed()).toEqual([]);
    expect(peek(machine.cpu(0).block + PERCPU.rcuSeen)).not.toBe(0);
  });

  test('is finished by another CPU, if that comes first', () => {
    machine.meanwhile(0, 'wait', CONTROL.rcuEpoch, () => {
      expect(peek(CONTROL.refAwaited)).toBe(N + 1);
      for (const cpu of [machine.cpu(1), machine.cpu(2), machine.cpu(1)]) rcuBoundary(cpu);
      percpuRefFinishAwaited(machine.cpu(2));
      expect([confirm(), countWord()]).toEqual([REF_CONFIRM.none, 2]);
    });
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    expect([countWord(), peek(CONTROL.refAwaited), machine.unplayed()]).toEqual([1, 0, []]);
  });

  test('waits for a CPU that is about to finish it', () => {
    machine.meanwhile(0, 'wait', CONTROL.rcuEpoch, () => {
      for (const cpu of [machine.cpu(1), machine.cpu(2), machine.cpu(1)]) rcuBoundary(cpu);
      machine.meanwhile(2, 'add', counts, () => {
        expect([confirm(), mode()]).toEqual([REF_CONFIRM.finishing, REF_MODE.atomicSync]);
        percpuRefSwitchDone(machine.cpu(1), N);
        expect(() => percpuRefSwitchToPercpu(machine.cpu(1), N)).toThrow('would wait for ever');
      });
      rcuOperationEnd(machine.cpu(2));
    });
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    expect([countWord(), machine.unplayed(), machine.facts()]).toEqual([1, [], []]);
  });
});

describe('the asynchronous switch', () => {
  test('goes by callback, once a grace period has passed', () => {
    percpuRefGet(machine.cpu(2), N);
    rcuReadLock(machine.cpu(1));
    percpuRefSwitchToAtomic(machine.cpu(0), N);
    expect([mode(), percpuRefValue(N)]).toEqual([REF_MODE.atomic, 3]);
    for (let i = 0; i < 4; i++) for (const id of [0, 2]) rcuOperationEnd(machine.cpu(id));
    percpuRefSwitchDone(machine.cpu(2), N);
    expect([countWord(), rcuPending(machine.cpu(0))]).toEqual([(REF_BIAS + 2) | 0, 1]);
    rcuReadUnlock(machine.cpu(1));
    boundaries();
    expect([countWord(), percpuRefValue(N), confirm()]).toEqual([2, 2, REF_CONFIRM.none]);
    expect(rcuPending(machine.cpu(0))).toBe(0);
  });

  test('does not let the value be found zero before its end', () => {
    percpuRefSwitchToAtomic(machine.cpu(0), N);
    expect([percpuRefPut(machine.cpu(1), N), percpuRefIsZero(machine.cpu(1), N)]).toEqual([
      false,
      false,
    ]);
    expect(percpuRefTryGet(machine.cpu(1), N)).toBe(true);
    expect(percpuRefPut(machine.cpu(1), N)).toBe(false);
    boundaries();
    expect(percpuRefIsZero(machine.cpu(1), N)).toBe(true);
  });

  test('is finished by whoever must wait for it; its callback leaves a later one alone', () => {
    percpuRefSwitchToAtomic(machine.cpu(1), N);
    percpuRefSwitchToPercpu(machine.cpu(0), N);
    expect([mode(), percpuRefValue(N)]).toEqual([REF_MODE.percpuAgain, 1]);
    percpuRefSwitchToAtomic(machine.cpu(2), N);
    const pending = confirm();
    rcuOperationEnd(machine.cpu(1));
    expect([confirm(), rcuPending(machine.cpu(1))]).toEqual([pending, 0]);
    boundaries();
    expect([confirm(), countWord()]).toEqual([REF_CONFIRM.none, 1]);
  });

  test('of a CPU that must wait for it itself goes on', () => {
    percpuRefSwitchToAtomic(machine.cpu(0), N);
    percpuRefSwitchToPercpu(machine.cpu(0), N);
    percpuRefSwitchToAtomicSync(machine.cpu(0), N);
    boundaries();
    expect([countWord(), machine.facts()]).toEqual([1, []]);
  });

  test('waits by itself when the callback queue is full', () => {
    const cpu = machine.cpu(0);
    for (let i = 0; i < RCU_QUEUE_MAX; i++) callRcu(cpu, RCU_KIND.refSwitch, 0);
    percpuRefSwitchToAtomic(cpu, N);
    expect([countWord(), rcuPending(cpu)]).toEqual([1, RCU_QUEUE_MAX]);
  });
});

describe('the switch lock', () => {
  const acquisitions = (): number =>
    machine.cpus.reduce((sum, { block }) => {
      const record = block + PERCPU.locks + LOCK.refSwitch * LOCK_RECORD.sizeWords;
      return sum + peek(record + LOCK_RECORD.acquisitions);
    }, 0);

  test.each([false, true])('is one for each ref: %s', (perRefSwitchLock) => {
    boot({ perRefSwitchLock });
    const shared = CONTROL.refSwitchLock;
    const own = base + REF.switchLock;
    const [lockp, other] = perRefSwitchLock ? [own, shared] : [shared, own];
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    spinLock(a, other, LOCK.refSwitch);
    percpuRefSwitchToAtomicSync(b, 0);
    expect(acquisitions()).toBe(2);
    spinUnlock(a, other, LOCK.refSwitch);
    spinLock(a, lockp, LOCK.refSwitch);
    for (const waits of [percpuRefSwitchToAtomic, percpuRefSwitchToPercpu, percpuRefIsZero])
      expect(() => waits(b, 0)).toThrow('would wait for ever');
    // References are taken and given without it.
    expect([percpuRefTryGet(b, 0), percpuRefPut(b, 0)]).toEqual([true, false]);
    if (perRefSwitchLock) percpuRefSwitchToAtomic(b, 1);
    else expect(() => percpuRefSwitchToAtomic(b, 1)).toThrow('would wait for ever');
  });

  test('is not taken to find that a ref in percpu mode is not zero', () => {
    percpuRefIsZero(machine.cpu(0), N);
    expect(acquisitions()).toBe(0);
  });

  test('is not held while a switch is waited for', () => {
    percpuRefSwitchToAtomic(machine.cpu(1), N);
    machine.meanwhile(0, 'wait', CONTROL.rcuEpoch, () => {
      expect(peek(CONTROL.refSwitchLock)).toBe(0);
      percpuRefSwitchToAtomic(machine.cpu(2), 1);
    });
    percpuRefSwitchToPercpu(machine.cpu(0), N);
    expect([machine.unplayed(), machine.facts()]).toEqual([[], []]);
  });
});

type Act = 'get' | 'put' | 'tryGet' | 'isZero' | 'atomic' | 'atomicSync' | 'percpu' | 'boundary';
const acts = fc.array(
  fc.tuple(
    fc.nat(CPUS - 1),
    fc.nat(1),
    fc.constantFrom<Act>(
      ...(['get', 'put', 'tryGet', 'isZero'] as const),
      ...(['atomic', 'atomicSync', 'percpu', 'boundary'] as const),
    ),
  ),
  { minLength: 1, maxLength: 80 },
);

/** What a ref should be: references held, and the mode as its users see it. */
class Model {
  held = 1;
  mode: 'percpu' | 'pending' | 'atomic' = 'percpu';
  private readonly n: number;

  constructor(n: number) {
    this.n = n;
  }

  step(id: number, act: Act): void {
    const { n } = this;
    const cpu = machine.cpu(id);
    const isZero = this.mode === 'atomic' && this.held === 0;
    if (act === 'get' && this.held > 0) {
      percpuRefGet(cpu, n);
      this.held++;
    } else if (act === 'put' && this.held > 0) {
      this.held--;
      expect(percpuRefPut(cpu, n)).toBe(this.mode === 'atomic' && this.held === 0);
    } else if (act === 'tryGet') {
      expect(percpuRefTryGet(cpu, n)).toBe(!isZero);
      if (!isZero) this.held++;
    } else if (act === 'isZero') expect(percpuRefIsZero(cpu, n)).toBe(isZero);
    else if (act === 'atomic') {
      percpuRefSwitchToAtomic(cpu, n);
      if (this.mode !== 'atomic') this.mode = 'pending';
    } else if (act === 'atomicSync') {
      percpuRefSwitchToAtomicSync(cpu, n);
      this.mode = 'atomic';
    } else if (act === 'percpu') {
      percpuRefSwitchToPercpu(cpu, n);
      this.mode = 'percpu';
    } else if (act === 'boundary') rcuOperationEnd(cpu);
  }

  check(): void {
    // When a grace period ends is RCU's business (rcu.test.ts); here it is only seen.
    if (this.mode === 'pending' && confirm(this.n) === REF_CONFIRM.none) this.mode = 'atomic';
    expect(percpuRefValue(this.n)).toBe(this.held + (this.mode === 'pending' ? 1 : 0));
    expect((mode(this.n) & REF_ATOMIC) === 0).toBe(this.mode === 'percpu');
    expect(confirm(this.n) === REF_CONFIRM.none).toBe(this.mode !== 'pending');
  }
}

const patches = fc.record({
  perRefSwitchLock: fc.boolean(),
  stableSync: fc.boolean(),
  rcu: fc.constantFrom<Form>('qsbr', 'announced', 'abstract'),
});

property([patches, acts], { numRuns: 400 })(
  'a ref does what the model does, whoever gets, puts and switches',
  (chosen, steps) => {
    boot(chosen);
    const models = [new Model(1), new Model(N)];
    for (const [id, which, act] of steps) {
      models[which]!.step(id, act);
      for (const model of models) model.check();
    }
    boundaries();
    for (const model of models) {
      model.check();
      model.step(0, 'atomicSync');
      while (model.held > 0) model.step(1, 'put');
      model.step(2, 'isZero');
    }
    for (const cpu of machine.cpus) rcuOffline(cpu);
    expect([percpuRefValue(0), percpuRefValue(3), machine.facts()]).toEqual([1, 1, []]);
  },
);
