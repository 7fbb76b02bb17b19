/**
 * Facts about RCU: grace periods against a model, nesting, waiting, and the callback queue; in all
 * forms.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTROL } from '#arena/layout/control';
import { PERCPU, RCU_QUEUE_MAX } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import {
  rcuAdvance,
  rcuBoundary,
  rcuGraceEnd,
  rcuGraceIsOver,
  rcuIdleEnter,
  rcuIdleExit,
  rcuOffline,
  rcuOnline,
  rcuQuiescent,
  rcuReadLock,
  rcuReadUnlock,
  synchronizeRcu,
} from './rcu.ts';
import {
  callRcu,
  RCU_KIND,
  rcuAnyPending,
  rcuBacklog,
  rcuPending,
  rcuQueueFull,
  rcuTake,
  rcuTakenWord,
} from './rcu-callbacks.ts';
import { rcuTortureAge, rcuTortureRead, rcuTortureWrite } from './rcu-torture.ts';

type Form = Plan['rcu'];
const FORMS: Form[] = ['qsbr', 'announced', 'abstract'];
const CPUS = 3;

let machine: TestMachine;

/** What a CPU may do, as far as the model allows it now. */
type Act = 'lock' | 'unlock' | 'call' | 'boundary' | 'quiescent' | 'idle' | 'advance' | 'take';
const acts = fc.array(
  fc.tuple(
    fc.nat(CPUS - 1),
    fc.constantFrom<Act>(
      'lock',
      'unlock',
      'call',
      'boundary',
      'quiescent',
      'idle',
      'advance',
      'take',
    ),
  ),
  { minLength: 1, maxLength: 120 },
);

/**
 * The model: each outermost section has a number; a callback waits for the sections that were open,
 * on any CPU, when it was queued.
 */
class Model {
  readonly nesting = Array<number>(CPUS).fill(0);
  readonly section = Array<number>(CPUS).fill(0);
  readonly idle = Array<boolean>(CPUS).fill(false);
  readonly awaited = new Map<number, number[]>();
  readonly taken: number[] = [];
  private sections = 0;
  private readonly form: Form;

  constructor(form: Form) {
    this.form = form;
  }

  step(id: number, act: Act): void {
    const cpu = machine.cpu(id);
    const inside = this.nesting[id]! > 0;
    if (this.idle[id]) {
      if (act !== 'idle') return;
      rcuIdleExit(cpu);
      this.idle[id] = false;
    } else if (act === 'lock') this.lock(id);
    else if (act === 'unlock') this.unlock(id);
    else if (act === 'call') this.call(id);
    else if (act === 'take') this.take(id);
    else if (act === 'advance') rcuAdvance(cpu);
    else if (inside) return;
    else if (act === 'boundary') rcuBoundary(cpu);
    else if (act === 'quiescent') rcuQuiescent(cpu);
    else this.idle[id] = rcuIdleEnter(cpu);
  }

  private lock(id: number): void {
    if (this.nesting[id]!++ === 0) this.section[id] = ++this.sections;
    rcuReadLock(machine.cpu(id));
  }

  unlock(id: number): void {
    if (this.nesting[id] === 0) return;
    rcuReadUnlock(machine.cpu(id));
    if (--this.nesting[id]! === 0) this.section[id] = 0;
  }

  private call(id: number): void {
    const word = this.awaited.size + 1;
    this.awaited.set(
      word,
      this.section.filter((section) => section !== 0),
    );
    callRcu(machine.cpu(id), RCU_KIND.torture, word);
  }

  take(id: number): void {
    while (rcuTake(machine.cpu(id)) !== 0) {
      const word = rcuTakenWord(machine.cpu(id));
      this.taken.push(word);
      const open = this.awaited.get(word)!.filter((section) => this.section.includes(section));
      expect(open, `${this.form}: callback ${word} runs, readers inside`).toEqual([]);
    }
  }
}

describe.each(FORMS)('in the %s form', (form) => {
  beforeEach(() => {
    machine = new TestMachine({ rcu: form });
  });

  property([acts], { numRuns: 400 })(
    'a callback waits for the readers that existed, and then runs',
    (steps) => {
      machine = new TestMachine({ rcu: form });
      const model = new Model(form);
      for (const [id, act] of steps) {
        model.step(id, act);
        model.take(id);
      }
      for (let id = 0; id < CPUS; id++) {
        while (model.nesting[id]! > 0) model.unlock(id);
        if (model.idle[id]) model.step(id, 'idle');
      }
      // Finitely many boundaries: each round brings the epoch on by at least one.
      for (let round = 0; round < 4; round++)
        for (let id = 0; id < CPUS; id++) model.step(id, 'boundary');
      for (let id = 0; id < CPUS; id++) model.take(id);
      expect(model.taken.toSorted((a, b) => a - b)).toEqual([...model.awaited.keys()]);
      expect([rcuAnyPending(), rcuBacklog()]).toEqual([false, 0]);
      expect(machine.facts()).toEqual([]);
    },
  );

  test('a callback does not run while one reader stays, however long', () => {
    const [reader, writer, third] = machine.cpus as [never, never, never];
    rcuReadLock(reader);
    callRcu(writer, RCU_KIND.torture, 1);
    for (let i = 0; i < 20; i++) {
      rcuBoundary(writer);
      rcuBoundary(third);
    }
    expect(rcuTake(writer)).toBe(0);
    rcuReadUnlock(reader);
    for (let i = 0; i < 3; i++) for (const cpu of machine.cpus) rcuBoundary(cpu);
    expect(rcuTake(writer)).toBe(RCU_KIND.torture);
  });

  test('sections nest', () => {
    const [reader, writer] = [machine.cpu(0), machine.cpu(1)];
    rcuReadLock(reader);
    rcuReadLock(reader);
    callRcu(writer, RCU_KIND.torture, 1);
    rcuReadUnlock(reader);
    for (let i = 0; i < 5; i++) for (const id of [1, 2]) rcuBoundary(machine.cpu(id));
    expect(rcuTake(writer)).toBe(0);
    rcuReadUnlock(reader);
    for (let i = 0; i < 3; i++) for (const cpu of machine.cpus) rcuBoundary(cpu);
    expect(rcuTake(writer)).toBe(RCU_KIND.torture);
    expect(machine.facts()).toEqual([]);
  });

  test('an unlock too many is a fact', () => {
    rcuReadUnlock(machine.cpu(0));
    expect(machine.facts()).toEqual(['rcuUnbalanced']);
  });

  test('a grace period waited for ends when the others have passed a boundary', () => {
    callRcu(machine.cpu(0), RCU_KIND.torture, 1);
    expect(rcuTake(machine.cpu(0))).toBe(0);
    synchronizeRcu(machine.cpu(0));
    expect(rcuTake(machine.cpu(0))).toBe(RCU_KIND.torture);
  });

  test('a grace period does not end while a reader is inside', () => {
    rcuReadLock(machine.cpu(1));
    expect(() => synchronizeRcu(machine.cpu(0))).toThrow('would wait for ever');
  });

  test('a grace period waited for inside a section is a fact', () => {
    rcuReadLock(machine.cpu(0));
    expect(() => synchronizeRcu(machine.cpu(0))).toThrow('would wait for ever');
    expect(machine.facts()).toEqual(['rcuUnbalanced']);
  });

  // A CPU of the announced form that is told to take part, as every thread is at its start, has no
  // section open.
  test('a CPU that has come online can wait for a grace period', () => {
    rcuOnline(machine.cpu(0));
    synchronizeRcu(machine.cpu(0));
    rcuOffline(machine.cpu(0));
    expect(peek(CONTROL.rcuEpoch)).toBe(form === 'abstract' ? 1 : 3);
    expect(peek(CONTROL.rcuAsked)).toBe(form === 'abstract' ? 2 : 1);
  });

  test('no grace period begins that nobody asked for', () => {
    const answered = machine.cpus.map(({ block }) => peek(block + PERCPU.rcuAnswered));
    for (let i = 0; i < 5; i++) for (const cpu of machine.cpus) rcuBoundary(cpu);
    expect([peek(CONTROL.rcuEpoch), peek(CONTROL.rcuAsked)]).toEqual([1, 1]);
    expect(machine.cpus.map(({ block }) => peek(block + PERCPU.rcuAnswered))).toEqual(answered);
    expect(machine.counter('rcuGracePeriods')).toBe(0);
  });
});

describe.each(['qsbr', 'abstract'] as const)('where CPUs report, as in the %s form', (form) => {
  beforeEach(() => {
    machine = new TestMachine({ rcu: form });
  });

  test('a CPU that is offline is not waited for', () => {
    for (const id of [1, 2]) rcuOffline(machine.cpu(id));
    callRcu(machine.cpu(0), RCU_KIND.torture, 1);
    rcuBoundary(machine.cpu(0));
    expect(rcuTake(machine.cpu(0))).toBe(RCU_KIND.torture);
  });

  test('a quiescent state inside a section is a fact, and does not report', () => {
    const [reader, writer] = [machine.cpu(0), machine.cpu(1)];
    rcuReadLock(reader);
    callRcu(writer, RCU_KIND.torture, 1);
    for (const id of [1, 2, 1]) rcuBoundary(machine.cpu(id));
    const reported = () =>
      [PERCPU.rcuSeen, PERCPU.rcuAnswered].map((at) => peek(reader.block + at));
    const before = reported();
    rcuQuiescent(reader);
    expect(machine.facts()).toEqual(['rcuUnbalanced']);
    expect(reported()).toEqual(before);
  });

  test('a CPU inside a section does not go idle for a wait', () => {
    rcuReadLock(machine.cpu(0));
    expect(rcuIdleEnter(machine.cpu(0))).toBe(false);
    rcuReadUnlock(machine.cpu(0));
    expect(rcuIdleEnter(machine.cpu(0))).toBe(true);
  });
});

describe.each([
  ['qsbr', rcuOnline],
  ['announced', rcuReadLock],
] as const)('in the %s form', (form, begin) => {
  // Whoever found the old epoch sleeps until the epoch moves on, and passes no boundary meanwhile.
  test('a CPU that reports while the epoch moves on ends the wait of who saw the old one', () => {
    machine = new TestMachine({ rcu: form });
    for (const cpu of machine.cpus) rcuOffline(cpu);
    const [waiter, late] = [machine.cpu(0), machine.cpu(1)];
    let end = 0;
    machine.meanwhile(1, 'store', late.block + PERCPU.rcuSeen, () => {
      end = rcuGraceEnd(waiter);
      expect(rcuAdvance(waiter)).toBe(true);
      machine.meanwhile(1, 'load', CONTROL.rcuEpoch, () => {
        expect(rcuAdvance(waiter)).toBe(false);
      });
    });
    begin(late);
    expect(machine.unplayed()).toEqual([]);
    expect(rcuGraceIsOver(waiter, end)).toBe(true);
  });
});

describe('the callback queue', () => {
  beforeEach(() => {
    machine = new TestMachine();
  });

  test('gives callbacks back in order, across its end, and knows when it is full', () => {
    const cpu = machine.cpu(0);
    for (const id of [1, 2]) rcuOffline(machine.cpu(id));
    const rounds = 3;
    let next = 1;
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < RCU_QUEUE_MAX; i++) {
        expect(rcuQueueFull(cpu)).toBe(false);
        callRcu(cpu, RCU_KIND.freeBody, next + i);
      }
      expect([rcuQueueFull(cpu), rcuPending(cpu)]).toEqual([true, RCU_QUEUE_MAX]);
      rcuBoundary(cpu);
      // An odd number stays behind, so that the next round wraps elsewhere.
      for (; rcuTake(cpu) !== 0; next++) expect(rcuTakenWord(cpu)).toBe(next);
      expect(rcuPending(cpu)).toBe(0);
    }
    expect(machine.counter('rcuCallbacks')).toBe(rounds * RCU_QUEUE_MAX);
    expect(peek(CONTROL.rcuBacklogPeak)).toBeGreaterThan(RCU_QUEUE_MAX - 20);
  });

  test('of one CPU is not taken by another', () => {
    callRcu(machine.cpu(0), RCU_KIND.torture, 5);
    synchronizeRcu(machine.cpu(1));
    expect(rcuTake(machine.cpu(1))).toBe(0);
    expect([rcuTake(machine.cpu(0)), rcuTakenWord(machine.cpu(0))]).toEqual([RCU_KIND.torture, 5]);
  });
});

describe('the torture of RCU', () => {
  /** Readers and a writer in turn; an element that is due ages. */
  const torture = (takeTooEarly: boolean): string[] => {
    machine = new TestMachine();
    const [writer, reader] = [machine.cpu(0), machine.cpu(1)];
    rcuTortureWrite(writer);
    // While the reader is inside its section, the writer retires its element and time passes.
    machine.meanwhile(1, 'load', CONTROL.torture + 16 + 1, () => {
      rcuTortureWrite(writer);
      rcuBoundary(writer);
      if (takeTooEarly) rcuTortureAge(writer, 1);
      else expect(rcuTake(writer)).toBe(0);
    });
    rcuTortureRead(reader);
    expect(machine.unplayed()).toEqual([]);
    return machine.facts();
  };

  test('passes where callbacks wait', () => {
    expect(torture(false)).toEqual([]);
  });

  test('notices a callback that runs too early', () => {
    expect(torture(true)).toEqual(['rcuTooEarly']);
  });
});
