/** `pttorture profile` on a made-up engine: which runs it asks for, and what it prints. */
import { expect, test } from 'vitest';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';

async function plansOf(...words: string[]) {
  const { code, plans } = await say(['profile', 'churn', ...words]);
  expect(code).toBe(EXIT.well);
  return plans;
}

test('runs with lock statistics, with one CPU and as the scenario has it', async () => {
  const plans = await plansOf();
  expect(plans.map(({ cpus, protocol }) => [cpus, protocol])).toEqual([
    [1, 'pt-reclaim'],
    [2, 'pt-reclaim'],
  ]);
  for (const plan of plans) expect(plan).toMatchObject({ lockStat: true, durationMs: 3000 });
});

test('sweeps over CPUs, protocols and lock algorithms', async () => {
  const words = ['--cpus', '1,4', '--protocol', 'none,pt-reclaim', '--lock', 'ttas,ticket'];
  const plans = await plansOf(...words, '--duration', '1s', '-p', 'size=8MiB', '--seed', '3');
  const runs = plans.map(({ protocol, locks, cpus }) => `${protocol} ${locks.ptl} ${cpus}`);
  expect(runs).toEqual([
    ...['none ttas 1', 'none ttas 4', 'none ticket 1', 'none ticket 4'],
    ...['pt-reclaim ttas 1', 'pt-reclaim ttas 4', 'pt-reclaim ticket 1', 'pt-reclaim ticket 4'],
  ]);
  expect(plans[0]).toMatchObject({ durationMs: 1000, seed: 3, parameters: { size: '8MiB' } });
});

test('takes algorithms by class as run does', async () => {
  const plans = await plansOf('--lock', 'ptl=mcs', '--cpus', '2');
  expect(plans).toHaveLength(1);
  expect(plans[0]).toMatchObject({ locks: { ptl: 'mcs', pml: 'ttas' }, splitLocks: true });
});

test('takes one lock for all page tables', async () => {
  expect((await plansOf('--no-split-locks'))[0]).toMatchObject({ splitLocks: false });
});

test('prints the locks, and writes the result', async () => {
  const { stdout, files } = await say(['profile', 'churn', '--json', 'p.json']);
  expect(stdout).toContain('by number of CPUs');
  expect(JSON.parse(files.get('p.json')!).runs).toHaveLength(2);
  const { stdout: json } = await say(['profile', 'churn', '--json', '-']);
  expect(JSON.parse(json).command).toBe('pttorture profile churn --json -');
});

test.each([
  [['--cpus', '0'], '--cpus 0 is out of range; allowed: 1 or more'],
  [['--cpus', '1,x'], '--cpus "x" is not a whole number; allowed: 1 or more'],
  [['--protocol', 'p9'], 'unknown protocol "p9"; choose from none, async-scanner, pt-reclaim'],
  [['--lock', 'spin'], 'unknown lock algorithm "spin"; choose from ttas, ticket, mcs'],
  [['--lock', 'ptl=spin'], 'unknown lock algorithm "spin"; choose from ttas, ticket, mcs'],
  [['--duration', '0s'], '--duration 0s is out of range; allowed: 1ms or more'],
  [['--json', '/nowhere/p.json'], 'cannot write "/nowhere/p.json": no folder'],
])('%j is refused in one line', async (words, message) => {
  const { code, stderr, stdout } = await say(['profile', 'churn', ...words]);
  expect([code, stderr, stdout]).toEqual([EXIT.wrong, `${message}\n`, '']);
});
