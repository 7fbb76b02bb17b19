/** `pttorture run`: what is run, what is printed where, and what the exit code says. */
import { describe, expect, test } from 'vitest';
import { UserError } from '#base/user-error';
import { sampleLocks } from '#result/lock-sample.suite';
import type { Result, Run } from '#result/result';
import { sampleRun } from '#result/sample.suite';
import { parseResult } from '#result/schema';
import type { Plan } from '#scenario/plan';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';

const violation = { kind: 'lost-entry', message: 'entry 17 was lost', cpus: [0], replay: null };

describe('what is run', () => {
  test('every protocol in turn, with one seed', async () => {
    const { plans, code, stdout } = await say(['run', 'churn', '--seed', '9']);
    expect(plans.map((plan) => plan.protocol)).toEqual(['none', 'async-scanner', 'pt-reclaim']);
    expect(plans.map((plan) => plan.seed)).toEqual([9, 9, 9]);
    expect(stdout).toContain('protocols compared');
    expect(code).toBe(EXIT.well);
  });

  test('the named protocols, each once', async () => {
    const { plans } = await say(['run', 'churn', '--protocol', 'pt-reclaim,none,pt-reclaim']);
    expect(plans.map((plan) => plan.protocol)).toEqual(['pt-reclaim', 'none']);
  });

  test('with every flag in the plan', async () => {
    const line =
      'run churn --protocol async-scanner --cpus 3 --duration 250ms -p size=8MiB ' +
      '-p async-scanner.delay=5ms --lock ptl=mcs --no-split-locks --rcu announced ' +
      '--gather 32 --noise 7 --deadline 2m ' +
      '--alloc-fail 250 --table-free sync --walkers as-posted --pwc range ' +
      '--shootdown broadcast --lock-stat';
    const { plans, hooks, stderr } = await say(line.split(' '));
    expect(stderr).toBe('');
    expect(plans[0]).toMatchObject({
      scenario: 'churn',
      cpus: 3,
      durationMs: 250,
      parameters: { size: '8MiB' },
      options: { delayMs: 5 },
      locks: { ptl: 'mcs', pml: 'mcs', 'page-table': 'mcs', zone: 'ttas' },
      splitLocks: false,
      rcu: 'announced',
      gatherPages: 32,
      gatherFallback: 'sync',
      allocFailPerMillion: 250,
      walkerReactions: 'as-posted',
      pwcFlush: 'range',
      shootdown: 'broadcast',
      noise: 7,
      lockStat: true,
      broken: null,
    });
    expect(hooks[0].deadlineMs).toBe(120_000);
  });

  test('without lock statistics unless asked; they follow the report', async () => {
    const run = (plan: Plan): Run => sampleRun(plan.lockStat ? sampleLocks() : {});
    const [without, asked] = [
      await say(['run', 'churn', '--protocol', 'none'], { run }),
      await say(['run', 'churn', '--protocol', 'none', '--lock-stat'], { run }),
    ];
    expect([without.plans[0].lockStat, asked.plans[0].lockStat]).toEqual([false, true]);
    expect(without.stdout).not.toContain('lock_stat version');
    expect(asked.stdout.indexOf('\n\nlock_stat version 0.4\n')).toBeGreaterThan(
      asked.stdout.indexOf('churn under '),
    );
    const json = await say([...'run churn --protocol none --lock-stat --json -'.split(' ')], {
      run,
    });
    expect(JSON.parse(json.stdout).runs[0].lockStat).toEqual(sampleLocks().lockStat);
  });

  test('until a deadline that leaves time for the duration', async () => {
    const { hooks } = await say(['run', 'churn', '--protocol', 'none', '--duration', '1h']);
    expect(hooks[0].deadlineMs).toBeGreaterThan(3_600_000);
  });

  test('a file, by its path', async () => {
    const text = 'question: q\nsource: s\ncolumns:\n  - { cpu: all, do: [sleep: 1ms] }\n';
    const { plans, stderr } = await say(['run', './mine.yaml', '--protocol', 'none'], {
      files: { './mine.yaml': text },
    });
    expect(stderr).toBe('');
    expect(plans[0].scenario).toBe('mine');
  });
});

describe('a broken version', () => {
  test('brings its scenario, protocol, parameters and noise', async () => {
    const { plans, hooks, prepared, stdout } = await say(['run', '--broken', 'no-recheck']);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toMatchObject({
      scenario: 'churn',
      protocol: 'pt-reclaim',
      parameters: { size: '8MiB' },
      noise: 40,
      broken: 'no-recheck',
    });
    expect(prepared.map((edit) => edit.name)).toEqual(['no-recheck']);
    expect(hooks[0].entry).toBe('file:///variants/no-recheck/');
    expect(stdout).toContain('broken version no-recheck');
  });

  test('yields to what is said', async () => {
    const line = 'run churn --broken no-recheck --protocol none -p size=16MiB --noise 0';
    const { plans } = await say(line.split(' '));
    expect(plans[0]).toMatchObject({ protocol: 'none', parameters: { size: '16MiB' }, noise: 0 });
  });

  test('keeps its parameters from other scenarios', async () => {
    const { plans } = await say(['run', 'allocator-loop', '--broken', 'no-recheck']);
    expect(plans[0].parameters).toEqual({ size: '64MiB' });
  });
});

describe('the exit code', () => {
  const unmet = { figure: 'pteTables', phase: null, min: null, max: 1, found: 2, met: false };
  const cases: [name: string, more: Partial<Run>, code: number][] = [
    ['all well', {}, EXIT.well],
    ['a violation', { exit: 'violation', violations: [violation] }, EXIT.found],
    ['an unmet expectation', { expectations: [unmet] }, EXIT.found],
    ['a deadline', { exit: 'deadline' }, EXIT.failed],
    ['an interruption', { exit: 'interrupted' }, EXIT.interrupted],
  ];
  test.each(cases)('for %s', async (_name, more, code) => {
    const spoken = await say(['run', 'churn', '--protocol', 'none'], {
      run: () => sampleRun(more),
    });
    expect(spoken.code).toBe(code);
    expect(spoken.stdout).toContain('churn under ');
    expect(spoken.stderr).toBe('');
  });

  test('for a failure inside is 3, with what was measured before', async () => {
    const { code, stdout, stderr } = await say(['run', 'churn'], {
      run(plan) {
        if (plan.protocol === 'none') return sampleRun({ protocol: 'none' });
        throw new Error('cpu 1 died');
      },
    });
    expect(code).toBe(EXIT.failed);
    expect(stdout).toContain('churn under none');
    expect(stderr).toMatch(/^internal failure, please report it: Error: cpu 1 died/);
  });

  test('for a mistake that only the machine can see is 2', async () => {
    const { code, stderr } = await say(['run', 'churn'], {
      run() {
        throw new UserError('the machine would need 99 GiB');
      },
    });
    expect(code).toBe(EXIT.wrong);
    expect(stderr).toBe('the machine would need 99 GiB\n');
  });
});

describe('an interruption', () => {
  test('prints the results so far, and begins no other run', async () => {
    const interruption = new AbortController();
    const { code, stdout, plans, files } = await say(['run', 'churn', '--json', 'r.json'], {
      signal: interruption.signal,
      run(plan, hooks) {
        if (plan.protocol === 'none') return sampleRun({ protocol: 'none' });
        interruption.abort();
        expect(hooks.signal?.aborted).toBe(true);
        return sampleRun({ protocol: plan.protocol, exit: 'interrupted' });
      },
    });
    expect(code).toBe(EXIT.interrupted);
    expect(plans).toHaveLength(2);
    expect(stdout).toContain('churn under none');
    expect(parseResult(files.get('r.json')!, 'r.json').runs).toHaveLength(2);
  });

  test('between two runs counts, though both runs before it passed', async () => {
    const interruption = new AbortController();
    const { code } = await say(['run', 'churn'], {
      signal: interruption.signal,
      run: (plan) => {
        if (plan.protocol === 'async-scanner') interruption.abort();
        return sampleRun({ protocol: plan.protocol });
      },
    });
    expect(code).toBe(EXIT.interrupted);
  });

  test('before the first run leaves a result without runs', async () => {
    const spoken = await say(['run', 'churn'], { signal: AbortSignal.abort() });
    expect(spoken.code).toBe(EXIT.interrupted);
    expect(spoken.stdout).toContain('no run was begun.');
  });
});

describe('--json', () => {
  test('- writes the result and nothing else', async () => {
    const { stdout } = await say(['run', 'churn', '-p', 'size=8MiB', '--json', '-']);
    const result: Result = parseResult(stdout, 'stdout');
    expect(result.runs.map((run) => run.protocol)).toEqual(['none', 'async-scanner', 'pt-reclaim']);
    expect(result.parameters).toEqual({ size: '8MiB' });
    expect(result.command).toBe('pttorture run churn -p size=8MiB --json -');
    expect(stdout).toContain('[4000, 51200]');
  });

  test('FILE writes it beside the report', async () => {
    const { stdout, files, discarded } = await say(['run', 'churn', '--json', 'r.json']);
    expect(parseResult(files.get('r.json')!, 'r.json').runs).toHaveLength(3);
    expect(stdout).toContain('protocols compared');
    expect(discarded).toEqual([]);
  });

  test('FILE leaves nothing behind when no run came to an end', async () => {
    const { files, discarded } = await say(['run', 'churn', '--json', 'r.json'], {
      run() {
        throw new Error('boom');
      },
    });
    expect(files.size).toBe(0);
    expect(discarded).toEqual(['r.json']);
  });
});

describe('progress', () => {
  const run = (_plan: unknown, hooks: { onProgress?(progress: never): void }) => {
    const progress = {
      phase: 'main',
      seconds: 2,
      vmpteKiB: 51_200,
      faultsPerSecond: 1e6,
      facts: 0,
    };
    hooks.onProgress?.(progress as never);
    return sampleRun();
  };

  test('is one line on a terminal, cleared at the end', async () => {
    const { stderr } = await say(['run', 'churn', '--protocol', 'none'], { run, isTerminal: true });
    expect(stderr).toBe(
      '\r\u001b[2Kchurn under none: main 2.00 s, VmPTE 50.0 MiB, 1.00M faults/s\r\u001b[2K',
    );
  });

  test('does not wrap on a narrow terminal', async () => {
    const stage = { run, isTerminal: true, columns: 20 };
    const { stderr } = await say(['run', 'churn', '--protocol', 'none'], stage);
    for (const line of stderr.split('\r\u001b[2K')) expect(line.length).toBeLessThan(20);
  });

  test('is silent elsewhere', async () => {
    const { stderr } = await say(['run', 'churn'], { run });
    expect(stderr).toBe('');
  });
});

test('a violation is followed by the way to its interleaving', async () => {
  const stage = { run: () => sampleRun({ exit: 'violation', violations: [violation] }) };
  const words = ['run', 'churn', '--protocol', 'none'];
  const { stdout } = await say([...words, '--json', 'r.json'], stage);
  expect(stdout).toMatch(/\nfind its interleaving:\n {2}pttorture explore --from r\.json\n$/);
  expect((await say(words, stage)).stdout).toMatch(/with --json FILE, then .*--from FILE\n$/);
  expect((await say(words)).stdout).not.toContain('interleaving');
});
