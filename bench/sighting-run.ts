/** One free run of a broken version, as a person would start it, in a process of its own. */
import { execFile } from 'node:child_process';
import { execPath } from 'node:process';
import type { BrokenVersion } from '#catalogue/broken-version';
import { isOfKind } from '#explore/wanted';
import type { Result, Run } from '#result/result';
import { inPackage } from './root.ts';

export interface BrokenRun {
  /** Whether its own oracle fired, or the one that may come before it. */
  readonly isSeen: boolean;
  /** Of the main phase. */
  readonly seconds: number;
  /** Of all CPUs together. */
  readonly operations: number;
  readonly wallMs: number;
}

/** Beyond the duration of a run: starting, ending, judging. */
const GRACE_MS = 30_000;

/** Runs for at most `durationMs`; `words` are further flags. */
export async function runBroken(
  version: BrokenVersion,
  words: readonly string[],
  durationMs: number,
): Promise<BrokenRun> {
  const began = performance.now();
  const duration = `${Math.max(1, Math.round(durationMs))}ms`;
  const command = ['run', '--broken', version.name, ...words, '--duration', duration];
  const text = await new Promise<string>((resolve) => {
    execFile(
      execPath,
      [inPackage('dist', 'src', 'cli', 'main.js'), ...command, '--json', '-'],
      { maxBuffer: 1 << 28, timeout: Math.round(durationMs) + GRACE_MS, killSignal: 'SIGKILL' },
      (_error, stdout) => resolve(stdout),
    );
  });
  const wallMs = performance.now() - began;
  if (text === '') throw new Error(`pttorture ${command.join(' ')}: no result`);
  const [run] = (JSON.parse(text) as Result).runs;
  return {
    isSeen: isSeen(version, run!),
    seconds: run!.phases.find(({ name }) => name === 'main')?.seconds ?? run!.seconds,
    operations: Object.values(run!.operations).reduce((sum, each) => sum + each, 0),
    wallMs,
  };
}

function isSeen({ oracle, before }: BrokenVersion, { violations }: Run): boolean {
  return violations.some(({ kind }) => isOfKind(kind, oracle) || kind === before?.oracle);
}
