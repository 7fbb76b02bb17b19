/**
 * Where the time goes: `npm run profile -- SCENARIO [flags of pttorture run]`. Node writes one CPU
 * profile per thread; for each, the functions with the most time of their own are printed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readProfiles, type ThreadProfile } from './cpu-profiles.ts';
import { inPackage } from './root.ts';

const TOP = 15;

function main(args: readonly string[]): number {
  const cli = inPackage('dist', 'src', 'cli', 'main.js');
  if (args.length === 0 || !existsSync(cli)) {
    const usage = 'usage: npm run profile -- SCENARIO [flags of pttorture run]';
    process.stderr.write(`${existsSync(cli) ? usage : 'profile: run "npm run build" first'}\n`);
    return 2;
  }
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const folder = inPackage('dist', 'profile', stamp);
  mkdirSync(folder, { recursive: true });
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const { status } = spawnSync(process.execPath, [...flags, cli, 'run', ...args], {
    stdio: 'inherit',
  });
  const profiles = readProfiles(folder);
  for (const profile of profiles) print(profile);
  const shown = relative(process.cwd(), folder);
  const where = `profiles, one per thread: ${shown}`;
  const how = `to look into one: npx speedscope ${join(shown, profiles.at(-1)?.file ?? '')}`;
  process.stdout.write(
    profiles.length > 0 ? `\n${where}\n${how}\n` : '\nno profile was written.\n',
  );
  return status ?? 1;
}

function print({ file, thread, times }: ThreadProfile): void {
  const totalUs = times.reduce((sum, { us }) => sum + us, 0);
  const name = thread === 0 ? 'main thread' : `thread ${thread}`;
  const lines = times.slice(0, TOP).map(({ name, place, us }) => {
    const percent = `${((100 * us) / totalUs).toFixed(1)}%`.padStart(6);
    return `${percent} ${(us / 1000).toFixed(0).padStart(7)} ms  ${name.padEnd(28)} ${place}`;
  });
  process.stdout.write(`\n${name} (${file})\n${lines.map((line) => line.trimEnd()).join('\n')}\n`);
}

process.exitCode = main(process.argv.slice(2));
