/**
 * Clinic.js on a run: `npm run profile:clinic -- flame|doctor|bubbleprof SCENARIO [flags]`. It is
 * fetched by npx when asked for, since it brings some 700 packages.
 *
 * What it cannot see: worker threads. Flame and bubbleprof show the main thread only, that is boot,
 * control and report, while the simulated CPUs run in workers; for those use `npm run profile`.
 * Doctor hands its sampler to every thread by NODE_OPTIONS and then fails on its own mixed-up
 * samples, unless workers are started with an empty NODE_OPTIONS.
 */
import { spawnSync } from 'node:child_process';
import { inPackage } from './root.ts';

const TOOLS = ['flame', 'doctor', 'bubbleprof'];
const CLINIC = 'clinic@13.0.0';

function main([tool, ...args]: readonly string[]): number {
  if (tool === undefined || !TOOLS.includes(tool) || args.length === 0) {
    const usage = `npm run profile:clinic -- ${TOOLS.join('|')} SCENARIO [flags of pttorture run]`;
    process.stderr.write(`usage: ${usage}\n`);
    return 2;
  }
  const cli = inPackage('dist', 'src', 'cli', 'main.js');
  const run = ['node', cli, 'run', ...args];
  const { status } = spawnSync('npx', ['--yes', CLINIC, tool, '--open=false', '--', ...run], {
    stdio: 'inherit',
    // Without it clinic asks whether it may send usage statistics.
    env: { ...process.env, NO_INSIGHT: '1' },
  });
  return status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
