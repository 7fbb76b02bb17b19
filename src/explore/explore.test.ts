/** The whole way, on threads: search, shrink, replay, confirm. */
import { describe, expect, test } from 'vitest';
import { brokenVersion, editNamed } from '#catalogue/named.suite';
import { explorationSchema } from '#result/exploration-schema';
import { type ExploreProgress, type ExploreRequest, explore } from './explore.ts';
import { replay } from './replay.ts';
import { shippedPlan } from './smaller/settle.suite.ts';

function request(name: string, protocol: string, more: Partial<ExploreRequest>): ExploreRequest {
  return {
    ...{ plan: shippedPlan(name, protocol), edit: null, strategy: { name: 'pos' } },
    ...{
      executionsMax: 2000,
      durationMs: null,
      keepGoing: false,
      kind: null,
      searchers: 2,
      shrinkMs: 4000,
    },
    nameReplay: () => 'word',
    ...more,
  };
}

describe('a broken version', async () => {
  const edit = editNamed('no-pmd-recheck');
  const progress: ExploreProgress[] = [];
  const plan = { ...shippedPlan('fault-vs-zap', 'pt-reclaim'), broken: edit.name };
  // Shrinking ends by itself where nothing smaller fails.
  const asked = { plan, edit, shrinkMs: 60_000 };
  const explored = await explore(request('fault-vs-zap', 'pt-reclaim', asked), {
    onProgress: (each) => progress.push(each),
  });
  const [violation] = explored.violations;

  test('is found, and shrunk to two operations and one preemption', () => {
    expect(violation).toMatchObject({ kind: 'lost-entry', replay: 'word' });
    expect(violation!.shrunk).toMatchObject({ cpus: 2, operations: 2, preemptions: 1 });
    expect(violation!.interleaving.rows.length).toBeGreaterThan(5);
    expect(progress.map(({ activity }) => activity)).toContain('shrink');
  });

  test('is a document of the published schema', () => {
    const document = {
      ...{
        pttorture: '0',
        schema: 1,
        kind: 'exploration',
        command: '',
        scenario: '',
        broken: null,
      },
      ...{ parameters: {}, machine: { node: '', platform: '', cores: 1, memoryGiB: 1 } },
      ...explored,
    };
    expect(explorationSchema.safeParse(JSON.parse(JSON.stringify(document))).error).toBe(undefined);
  });

  test('is replayed as often as one likes, and on real threads', async () => {
    const { schedule, history } = violation!.failure;
    const small = violation!.failure.plan as ExploreRequest['plan'];
    const again = await replay({
      ...{ plan: small, edit, schedule, history, check: null, times: 50, onThreads: true },
    });
    expect(again).toMatchObject({ alike: 50, difference: null });
    const { threads } = again;
    const kinds = threads?.kind === 'same' ? threads.verdicts.map(({ kind }) => kind) : [];
    expect(kinds).toContain('lost-entry');
  });

  test('whose record is not what the replay does diverges at the first such step', async () => {
    const { schedule, history } = violation!.failure;
    const small = violation!.failure.plan as ExploreRequest['plan'];
    const other = history.with(4 * 7 + 2, 1);
    const again = await replay({
      ...{ plan: small, edit, schedule, history: other, check: null, times: 1, onThreads: false },
    });
    expect(again.difference).toMatch(
      /^replay diverged at step 7: expected cpu\d \w+ .*, found cpu/,
    );
  });
});

test('the living source is silent, and what that is worth is said', async () => {
  const strategy = { name: 'pct' } as const;
  const explored = await explore(request('litmus/write-vs-zap', 'pt-reclaim', { strategy }), {});
  expect(explored.violations).toEqual([]);
  expect(explored.executions).toBe(2000);
  expect(explored.outcomes.every(({ met }) => met)).toBe(true);
  expect(explored.silence).toMatch(/a bug of depth up to 3 would have been found with a chance/);
});

test('the kind that is looked for may come after another', async () => {
  const { oracle } = brokenVersion('scan-without-ptl');
  const edit = editNamed('scan-without-ptl');
  const plan = { ...shippedPlan('fault-vs-scanner', 'async-scanner'), broken: edit.name };
  const asked = { plan, edit, executionsMax: null, durationMs: 30_000, kind: oracle };
  const explored = await explore(request('fault-vs-scanner', 'async-scanner', asked), {});
  expect(explored.violations.map(({ kind }) => kind)).toEqual([oracle]);
});

test('ends early when it is told to', async () => {
  const stop = new AbortController();
  const explored = await explore(
    request('churn', 'pt-reclaim', { executionsMax: null, durationMs: 60_000 }),
    { signal: stop.signal, onProgress: () => stop.abort() },
  );
  expect(explored.isInterrupted).toBe(true);
});
