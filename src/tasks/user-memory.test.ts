/** Facts about the zap log, and about what an owner may find where it stored. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ZAP_LOG_MAX } from '#arena/layout/percpu';
import { TestMachine } from './machine.suite.ts';
import { UserMemory, zapClock } from './user-memory.ts';
import { freeBegins, ZAPPED, zapBegins, zapEnds, zappedSince } from './zap-log.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** A whole zap by `cpu` of [(8, 2), (10, 3)). */
function zap(cpu = 1): void {
  zapBegins(machine.cpu(cpu), 8, 2, 10, 3);
  zapEnds(machine.cpu(cpu));
}

describe('the log answers', () => {
  test('no where nothing was zapped', () => {
    expect(zappedSince(8, 2, zapClock())).toBe(ZAPPED.no);
  });

  test('yes for addresses inside a later zap, and no for those outside', () => {
    const since = zapClock();
    zap();
    const inside: [number, number][] = [
      [8, 2],
      [8, 7],
      [9, 0],
      [9, 7],
      [10, 0],
      [10, 2],
    ];
    const outside: [number, number][] = [
      [7, 7],
      [8, 0],
      [8, 1],
      [10, 3],
      [10, 7],
      [11, 0],
    ];
    for (const [slot, index] of inside) expect(zappedSince(slot, index, since)).toBe(ZAPPED.yes);
    for (const [slot, index] of outside) expect(zappedSince(slot, index, since)).toBe(ZAPPED.no);
  });

  test('no for a zap that was over before', () => {
    zap();
    expect(zappedSince(9, 0, zapClock())).toBe(ZAPPED.no);
  });

  test('yes for a zap that was running, and once it has ended too', () => {
    zapBegins(machine.cpu(2), 8, 2, 10, 3);
    const since = zapClock();
    expect(zappedSince(9, 0, since)).toBe(ZAPPED.yes);
    zapEnds(machine.cpu(2));
    expect(zappedSince(9, 0, since)).toBe(ZAPPED.yes);
    expect(zappedSince(9, 0, zapClock())).toBe(ZAPPED.no);
  });

  test('unknown once what may have mattered was overwritten', () => {
    const since = zapClock();
    for (let i = 0; i < ZAP_LOG_MAX; i++) zap();
    expect(zappedSince(20, 0, since)).toBe(ZAPPED.no);
    zap();
    expect(zappedSince(20, 0, since)).toBe(ZAPPED.unknown);
    expect(zappedSince(9, 0, since)).toBe(ZAPPED.yes);
    expect(zappedSince(20, 0, zapClock())).toBe(ZAPPED.no);
  });

  test('yes from the log of any CPU, whatever another has forgotten', () => {
    const since = zapClock();
    zap(2);
    for (let i = 0; i < ZAP_LOG_MAX + 1; i++) {
      zapBegins(machine.cpu(0), 100, 0, 101, 0);
      zapEnds(machine.cpu(0));
    }
    expect(zappedSince(9, 0, since)).toBe(ZAPPED.yes);
  });
});

describe('an owner that reads', () => {
  let memory: UserMemory;
  beforeEach(() => {
    memory = new UserMemory(machine.cpu(0), false);
    memory.remember(9, 1, 77, zapClock());
  });

  const outcome = (found: number, index = 1): [string[], number, number] => {
    memory.compare(9, index, found);
    return [machine.facts(), machine.counter('dataCompared'), machine.counter('dataUnjudged')];
  };

  test('its stamp is content', () => {
    expect(outcome(77)).toEqual([[], 1, 0]);
    expect(outcome(77)).toEqual([[], 2, 0]);
  });

  test('zero without a zap has lost data', () => {
    expect(outcome(0)[0]).toEqual(['lostData']);
    expect(machine.factWords()).toEqual([9, 1, 77, 0, 0]);
  });

  test('zero after a zap that covers the page is content, once', () => {
    zap();
    expect(outcome(0)).toEqual([[], 1, 0]);
    // The stamp is forgotten: what the page holds from now on is nobody's promise.
    expect(outcome(123)).toEqual([[], 1, 0]);
  });

  test('zero after a zap of other pages has lost data', () => {
    zapBegins(machine.cpu(1), 9, 2, 12, 0);
    zapEnds(machine.cpu(1));
    expect(outcome(0)[0]).toEqual(['lostData']);
  });

  test('a stamp that is not its own has lost data, zap or not', () => {
    zap();
    expect(outcome(78)[0]).toEqual(['lostData']);
    expect(machine.factWords().slice(0, 4)).toEqual([9, 1, 77, 78]);
  });

  describe('after a zap of its own', () => {
    test('that covers the page, its stamp means that the zap was not done; told once', () => {
      zap(0);
      expect(outcome(77)[0]).toEqual(['dontneedNotDone']);
      expect(machine.factWords().slice(0, 3)).toEqual([9, 1, 77]);
      expect(outcome(77)[0]).toEqual(['dontneedNotDone']);
    });

    test('before its store, or of other pages, its stamp is content', () => {
      zap(0);
      memory.remember(9, 1, 78, zapClock());
      zapBegins(machine.cpu(0), 9, 2, 12, 0);
      zapEnds(machine.cpu(0));
      expect(outcome(78)[0]).toEqual([]);
    });

    test('that later ones have followed, it is still told; not after very many', () => {
      for (const [more, facts] of [
        [3, ['dontneedNotDone']],
        [4, []],
      ] as const) {
        machine = new TestMachine();
        memory = new UserMemory(machine.cpu(0), false);
        memory.remember(9, 1, 77, zapClock());
        zap(0);
        for (let i = 0; i < more; i++) {
          zapBegins(machine.cpu(0), 100, 0, 101, 0);
          zapEnds(machine.cpu(0));
        }
        expect(outcome(77)[0]).toEqual(facts);
      }
    });

    test('and of a zap by another, which may have come before the store, it says nothing', () => {
      zap(1);
      expect(outcome(77)[0]).toEqual([]);
    });
  });

  test('zero when the log has forgotten is not judged', () => {
    for (let i = 0; i < ZAP_LOG_MAX + 1; i++) {
      zapBegins(machine.cpu(1), 100, 0, 101, 0);
      zapEnds(machine.cpu(1));
    }
    expect(outcome(0)).toEqual([[], 0, 1]);
  });

  test('a page of which it remembers nothing is not compared', () => {
    expect(outcome(5, 2)).toEqual([[], 0, 0]);
    // A page that shares its place in the table.
    memory.compare(9 + (1 << 14), 1, 5);
    expect(machine.facts()).toEqual([]);
  });

  test('the later of two stores counts', () => {
    memory.remember(9, 1, 78, zapClock());
    expect(outcome(77)[0]).toEqual(['lostData']);
  });
});

describe('an owner that has freed lazily', () => {
  let memory: UserMemory;
  beforeEach(() => {
    memory = new UserMemory(machine.cpu(0), false);
    memory.remember(9, 1, 77, zapClock());
    freeBegins(machine.cpu(0), 8, 2, 10, 3);
  });

  const outcome = (found: number): string[] => {
    memory.compare(9, 1, found);
    return machine.facts();
  };

  test('may find its stamp for a while, and zero any time later', () => {
    expect(outcome(77)).toEqual([]);
    zapEnds(machine.cpu(0));
    expect([...outcome(77), ...outcome(77), ...outcome(0)]).toEqual([]);
  });

  test('may find zero for what it stored while the call was in progress', () => {
    memory.remember(9, 1, 78, zapClock());
    zapEnds(machine.cpu(0));
    expect(outcome(0)).toEqual([]);
  });

  test('keeps what it has stored since', () => {
    zapEnds(machine.cpu(0));
    memory.remember(9, 1, 78, zapClock());
    expect(outcome(78)).toEqual([]);
    expect(outcome(0)).toEqual(['lostData']);
  });

  test('and zapped then must not find its stamp', () => {
    zapEnds(machine.cpu(0));
    zap(0);
    expect(outcome(77)).toEqual(['dontneedNotDone']);
  });
});

describe('an owner of memory that userfaultfd looks after', () => {
  let memory: UserMemory;
  beforeEach(() => {
    memory = new UserMemory(machine.cpu(0), false);
    memory.noteFound(9, 1, zapClock(), true);
  });

  const missesAgain = (slot = 9): string[] => {
    memory.noteFound(slot, 1, zapClock(), true);
    return machine.facts();
  };

  test('waits for each page once', () => {
    expect(missesAgain()).toEqual(['untruthfulError']);
    expect(machine.factWords().slice(0, 3)).toEqual([2, 9, 1]);
  });

  test('waits for a page again that was zapped since it was last found', () => {
    zap();
    expect(missesAgain()).toEqual([]);
    expect(missesAgain()).toEqual(['untruthfulError']);
  });

  test('is not heard where the log, or its memory, has forgotten', () => {
    for (let i = 0; i < ZAP_LOG_MAX + 1; i++) {
      zapBegins(machine.cpu(1), 100, 0, 101, 0);
      zapEnds(machine.cpu(1));
    }
    expect(missesAgain()).toEqual([]);
    expect(missesAgain(9 + (1 << 14))).toEqual([]);
    memory.remember(9, 1, 77, zapClock());
    expect(missesAgain()).toEqual([]);
  });
});

test('stamps are positive, and no two of the CPUs are equal', () => {
  const stamps = new Set<number>();
  for (const cpu of machine.cpus) {
    const memory = new UserMemory(cpu, false);
    for (let i = 0; i < 1000; i++) stamps.add(memory.nextStamp());
  }
  expect(stamps.size).toBe(3000);
  expect(Math.min(...stamps)).toBeGreaterThan(0);
});

describe('where all CPUs write the same pages', () => {
  let memory: UserMemory;
  beforeEach(() => {
    memory = new UserMemory(machine.cpu(0), true);
    memory.remember(9, 1, memory.nextStamp(), zapClock());
  });

  test('the stamp of another CPU is content, and zero without a zap has lost data', () => {
    const other = new UserMemory(machine.cpu(1), true).nextStamp();
    memory.compare(9, 1, other);
    expect(machine.facts()).toEqual([]);
    memory.compare(9, 1, 0);
    expect(machine.facts()).toEqual(['lostData']);
  });

  test('zero after a zap is content, and an old stamp of its own is not', () => {
    zap(1);
    memory.compare(9, 1, 0);
    expect(machine.facts()).toEqual([]);
    memory.remember(9, 1, memory.nextStamp(), zapClock());
    memory.compare(9, 1, new UserMemory(machine.cpu(0), true).nextStamp());
    expect(machine.facts()).toEqual(['lostData']);
  });
});
