/**
 * The bench: `npm run bench -- [GROUP ...] [--rounds N] [--ms N] [--json FILE]`. Exit status 0 also
 * when a goal is missed, for the machine may be busy; the table and the JSON say which.
 */
import { writeFileSync } from 'node:fs';
import { UserError } from '#base/user-error';
import { parseFlags } from './flags.ts';
import { type BenchOptions, type Group, measure, type Variant } from './harness.ts';
import {
  type BenchResult,
  busyLine,
  groupLines,
  type MeasuredGroup,
  machineLine,
  thisMachine,
  wakeUpLine,
} from './report.ts';
import { spreadOf } from './statistics.ts';
import { startWakeUp } from './wake-up.ts';

/** Each group is its own module, loaded when it is asked for. */
const GROUPS: Readonly<Record<string, () => Promise<Group>>> = {
  faults: async () => (await import('./faults.ts')).faults,
  locks: async () => (await import('./locks.ts')).locks,
  'lock-stat': async () => (await import('./lock-stat.ts')).lockStat,
  rcu: async () => (await import('./rcu.ts')).rcu,
  stepped: async () => (await import('./stepped.ts')).stepped,
  exploration: async () => (await import('./exploration.ts')).exploration,
  native: async () => (await import('./native/group.ts')).native,
};

/** Run when no group is named; `native` is contained in `faults`. */
const BY_DEFAULT = ['faults', 'locks', 'rcu'];

interface Request extends BenchOptions {
  readonly groups: readonly string[];
  readonly json: string | null;
}

async function main(): Promise<void> {
  const request = readRequest(process.argv.slice(2));
  if (request.json !== null) writeJson(request.json, '');
  const machine = thisMachine();
  print([machineLine(machine), busyLine(machine) ?? []].flat());
  const wakeUp = await startWakeUp();
  const wakeUps: number[] = [];
  // The first variant of each round; not shown in the groups' tables.
  const wakeUpVariant: Variant = {
    name: WAKE_UP,
    unit: 'us',
    sample() {
      const us = wakeUp.sampleUs();
      wakeUps.push(us);
      return us;
    },
  };
  const groups: MeasuredGroup[] = [];
  for (const name of request.groups) {
    const group = await GROUPS[name]();
    const prepared = await group.prepare(request);
    const variants = [wakeUpVariant, ...prepared.variants];
    const measured = await measure({ ...prepared, variants }, request.rounds, progress(name));
    clearProgress();
    const shown = measured.variants.filter((variant) => variant.name !== WAKE_UP);
    groups.push({ group: name, summary: group.summary, ...measured, variants: shown });
    print(groupLines(groups.at(-1)!, request.rounds));
  }
  await wakeUp.end();
  const wakeUpUs = { samples: wakeUps, ...spreadOf(wakeUps) };
  print(['', wakeUpLine(wakeUpUs)]);
  if (request.json !== null) {
    const { rounds, ms } = request;
    const result: BenchResult = { schema: 1, machine, rounds, ms, wakeUpUs, groups };
    writeJson(request.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

const WAKE_UP = 'wake-up';

function readRequest(args: string[]): Request {
  const { values, positionals } = parseFlags(args, ['rounds', 'ms', 'json']);
  for (const name of positionals) {
    if (Object.hasOwn(GROUPS, name)) continue;
    throw new UserError(`no group "${name}"; groups: ${Object.keys(GROUPS).join(', ')}`);
  }
  return {
    groups: positionals.length > 0 ? positionals : BY_DEFAULT,
    rounds: readCount('rounds', values.rounds ?? '5'),
    ms: readCount('ms', values.ms ?? '4000'),
    json: values.json ?? null,
  };
}

function readCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UserError(`--${flag} "${text}" is not a whole number from 1 to 9999999`);
}

function writeJson(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UserError(`--json: cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** One line on a terminal that is written over; nothing elsewhere. */
function progress(group: string): (round: number, variant: string) => void {
  return (round, variant) => {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${group}, round ${round + 1}: ${variant}`);
    }
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
