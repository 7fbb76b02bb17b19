/** `list`, `report`, `start` and the help. */
import { describe, expect, test } from 'vitest';
import { sampleLocks } from '#result/lock-sample.suite';
import type { Run } from '#result/result';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';

describe('list', () => {
  test.each(['scenarios', 'protocols', 'broken', 'locks', 'oracles'])(
    '%s --json is an array of name, summary, source',
    async (topic) => {
      const { stdout, code } = await say(['list', topic, '--json']);
      const entries: unknown[] = JSON.parse(stdout);
      expect(code).toBe(EXIT.well);
      expect(entries.length).toBeGreaterThan(0);
      for (const entry of entries) {
        expect(entry).toMatchObject({
          name: expect.stringMatching(/./),
          summary: expect.stringMatching(/./),
          source: expect.stringMatching(/./),
        });
      }
    },
  );

  test('broken --json says what catches it', async () => {
    const { stdout } = await say(['list', 'broken', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'no-recheck', bug: 'K-30', scenario: 'churn', oracle: 'lost-entry' },
    ]);
  });

  test('for people names parameters and options as -p wants them', async () => {
    const { stdout } = await say(['list']);
    expect(stdout).toContain('-p size=64MiB: The VMA.');
    expect(stdout).toContain('-p async-scanner.delay=100ms: Pause.');
    expect(stdout).toMatch(/no-recheck +K-30 +pt-reclaim +lost-entry\n/);
    expect(stdout).toContain('no-recheck, in churn: The fault does not');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--json without a topic has all topics', async () => {
    const { stdout } = await say(['list', '--json']);
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      'scenarios',
      'protocols',
      'broken',
      'locks',
      'oracles',
    ]);
  });
});

test('report prints a saved result again', async () => {
  const violations = [{ kind: 'lost-entry', message: 'gone', cpus: [], replay: null }];
  const saved = sampleResult([sampleRun({ violations })]);
  const { stdout, code } = await say(['report', 'r.json'], {
    files: { 'r.json': JSON.stringify(saved) },
  });
  expect(code).toBe(EXIT.well);
  expect(stdout).toContain('VmPTE      start 16 KiB, peak 102,616 KiB');
  expect(stdout).toContain('An entry is out of reach.');
});

test('report --lock-stat prints its lock statistics, and nothing else', async () => {
  const saved = sampleResult([sampleRun(sampleLocks())]);
  const { stdout, code } = await say(['report', 'r.json', '--lock-stat'], {
    files: { 'r.json': JSON.stringify(saved) },
  });
  expect(code).toBe(EXIT.well);
  expect(stdout).toMatch(/^lock_stat version 0\.4\n/);
  expect(stdout).not.toContain('VmPTE');
});

describe('start', () => {
  test('compares three protocols on two scenarios, on 2 CPUs', async () => {
    const { stdout, plans, code } = await say(['start']);
    expect(plans.map((plan) => `${plan.scenario} ${plan.protocol} ${plan.cpus}`)).toEqual([
      'allocator-loop none 2',
      'allocator-loop async-scanner 2',
      'allocator-loop pt-reclaim 2',
      'churn none 2',
      'churn async-scanner 2',
      'churn pt-reclaim 2',
    ]);
    expect(stdout).toContain('How much remains?');
    expect(stdout.match(/^async-scanner .* pass$/gm)).toHaveLength(2);
    expect(stdout).toContain('Next:');
    expect(code).toBe(EXIT.well);
  });

  const slow = (seconds: number) => (plan: { scenario: string; protocol: string }) =>
    sampleRun({
      protocol: plan.protocol,
      phases: [{ name: 'main', seconds: plan.scenario === 'churn' ? 0 : seconds, vmpteKiB: 0 }],
    });

  test.each([
    [1, 5000],
    [12, 3000],
    [40, 1000],
  ])('when a run of the loop takes %d s, churn runs %d ms', async (seconds, durationMs) => {
    const { plans } = await say(['start'], { run: slow(seconds) });
    expect(plans[3].durationMs).toBe(durationMs);
  });

  test('tells a violation in full', async () => {
    const violations = [{ kind: 'lost-entry', message: 'entry 17', cpus: [], replay: null }];
    const run = (plan: { protocol: string; scenario: string }): Run =>
      sampleRun({
        protocol: plan.protocol,
        ...(plan.scenario === 'allocator-loop' ? { violations } : {}),
      });
    const { stdout, code } = await say(['start'], { run });
    expect(code).toBe(EXIT.found);
    expect(stdout).toContain('lost-entry: entry 17');
    expect(stdout).toContain(
      'pttorture run allocator-loop --protocol none,async-scanner,pt-reclaim --cpus',
    );
  });

  test('ends at an interruption', async () => {
    const run = () => sampleRun({ exit: 'interrupted' });
    const { code, plans, stdout } = await say(['start'], { run });
    expect(code).toBe(EXIT.interrupted);
    expect(plans).toHaveLength(1);
    expect(stdout).not.toContain('Next:');
  });
});

describe('help', () => {
  test('is no mistake', async () => {
    for (const words of [['--help'], ['run', '--help'], ['help', 'run']]) {
      const { code, stdout, stderr } = await say(words);
      expect(code).toBe(EXIT.well);
      expect(stdout).toContain('Usage: pttorture');
      expect(stderr).toBe('');
    }
  });

  test('gives the version', async () => {
    expect((await say(['--version'])).stdout).toBe('0.1.0\n');
  });
});
