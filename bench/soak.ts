/**
 * The soak: `npm run soak -- HOURS [--slice 60s] [--seed N] [--json FILE]`. Runs `churn` for that
 * long over a matrix of machines, a slice each with a seed of its own, and keeps totals in FILE
 * (soak.json); a later soak goes on with them. Ctrl-C ends it cleanly, a second one at once.
 *
 * Exit status: 0 all well, 1 a violation, 2 a wrong command, 3 a deadline or a failure of our own,
 * 130 interrupted.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseDuration } from '#base/units';
import { UserError } from '#base/user-error';
import { runPlan } from '#machine/run';
import { JUDGES } from '#oracles/judges';
import { PROTOCOLS } from '#reclaim/registry';
import { formatParallel, formatSeconds, formatShort } from '#report/format';
import type { Run } from '#result/result';
import { buildPlan } from '#scenario/build-plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { RACES } from '#trace/vocabulary';
import { parseFlags } from './flags.ts';
import { print, runProgram } from './program.ts';
import { inPackage } from './root.ts';
import * as soak from './soak-totals.ts';

interface Request {
  readonly hours: number;
  readonly sliceMs: number;
  readonly seed: number;
  readonly path: string;
}

const NAMES = PROTOCOLS.map(({ name }) => name);
const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

/** What a slice may take beyond its length before it is given up. */
const GRACE_MS = 120_000;
const SLICE_MS_MIN = 1_000;
const HOURS_MAX = 10_000;
const SEED_MAX = 2 ** 32 - 1;

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  const totals = readTotals(request.path);
  writeTotals(request.path, totals);
  const scenario = readScenario();
  const signal = interruption();
  const before = totals.total.slices;
  const endMs = performance.now() + request.hours * 3_600_000;
  let code = 0;
  print(startLine(request, before));
  for (let left = endMs - performance.now(); left > 0; left = endMs - performance.now()) {
    const cell = soak.cellOf(totals.total.slices, NAMES);
    const seed = (request.seed + totals.total.slices) % (SEED_MAX + 1);
    const durationMs = Math.min(request.sliceMs, Math.max(SLICE_MS_MIN, Math.ceil(left)));
    const command = soak.commandOf(cell, seed, durationMs);
    const run = await runSlice(scenario, cell, seed, durationMs, signal);
    soak.addSlice(totals, cell, command, run);
    writeTotals(request.path, totals);
    print(sliceLine(totals.total.slices, cell, seed, run));
    const isBad = run instanceof Error || (run.exit !== 'pass' && run.exit !== 'interrupted');
    if (isBad) {
      for (const message of soak.messagesOf(run)) print(`      ${message}`);
      print(`      again: ${command}`);
      code = code === 1 || (!(run instanceof Error) && run.exit === 'violation') ? 1 : 3;
    }
    if (signal.aborted) break;
  }
  for (const line of totalLines(totals)) print(line);
  print(`totals: ${request.path}`);
  return code === 0 && signal.aborted ? 130 : code;
}

async function runSlice(
  scenario: Scenario,
  cell: soak.Cell,
  seed: number,
  durationMs: number,
  signal: AbortSignal,
): Promise<Run | Error> {
  const request = { ...cell, seed, durationMs, parameters: {}, protocolOptions: OPTIONS };
  try {
    const plan = buildPlan(scenario, request);
    return await runPlan(plan, { judges: JUDGES, signal, deadlineMs: durationMs + GRACE_MS });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function readScenario(): Scenario {
  const path = inPackage('scenarios', `${soak.SCENARIO}.yaml`);
  return parseScenario({ path, text: readFileSync(path, 'utf8') });
}

/** Aborted by the first Ctrl-C, and when nobody reads any more; the second ends it at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

function startLine({ hours, sliceMs, path }: Request, before: number): string {
  const known = before === 0 ? '' : `; ${path} has ${before} slices already`;
  const length = `${formatSeconds(hours * 3600)} in slices of ${formatSeconds(sliceMs / 1000)}`;
  return `${soak.SCENARIO} for ${length}${known}`;
}

function sliceLine(slice: number, cell: soak.Cell, seed: number, run: Run | Error): string {
  const { protocol, cpus, splitLocks, rcu, noise } = cell;
  const locks = splitLocks ? 'split' : 'non-split';
  const machine =
    `${`${slice}`.padStart(4)}  ${protocol.padEnd(13)} ${cpus} CPUs ${locks.padEnd(9)} ` +
    `${rcu.padEnd(9)} noise ${`${noise}`.padEnd(2)} seed ${seed}`;
  if (run instanceof Error) return `${machine}: FAILED`;
  const races = run.races.reduce((sum, race) => sum + race.count, 0);
  return (
    `${machine}: ${run.exit === 'pass' ? 'pass' : run.exit.toUpperCase()}, ` +
    `${formatSeconds(run.seconds)}, ${formatParallel(run.cpuSeconds, run.seconds)} CPU, ` +
    `${formatShort(run.pages.faulted)} faults, ${formatShort(races)} races`
  );
}

/** A column for each protocol with split locks or one, and one for all. */
function totalLines({ total, byKind }: soak.Totals): string[] {
  const kinds = Object.keys(byKind).sort();
  const columns = [...kinds.map((kind) => byKind[kind]), total];
  function rowOf(name: string, of: (sums: soak.Sums) => number): string[] {
    return [name, ...columns.map((sums) => formatShort(of(sums)))];
  }
  const rows = [
    ['', ...kinds.map((kind) => kind.split(', ')[0]), 'total'],
    ['', ...kinds.map((kind) => kind.split(', ')[1]), ''],
    ...SUMMED.map((name) => rowOf(name, (sums) => sums[name])),
    ...RACES.map((kind) => rowOf(kind, (sums) => sums.races[kind] ?? 0)),
    rowOf('violations', (sums) => Object.values(sums.violations).reduce((a, b) => a + b, 0)),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row.map((word, i) => (i === 0 ? word.padEnd(widths[i]) : word.padStart(widths[i]))).join('  '),
  );
  return ['', ...lines.map((line) => line.trimEnd()), ''];
}

const SUMMED = [
  'slices',
  'faults',
  'zaps',
  'tablesReclaimed',
  'readsCompared',
  'readsUnjudged',
] as const;

function readRequest(args: string[]): Request {
  const { values, positionals } = parseFlags(args, ['slice', 'seed', 'json']);
  const [hours, ...rest] = positionals;
  if (hours === undefined || rest.length > 0) {
    throw new UserError('usage: npm run soak -- HOURS [--slice 60s] [--seed N] [--json FILE]');
  }
  return {
    hours: readHours(hours),
    sliceMs: readSlice(values.slice ?? '60s'),
    seed: readSeed(values.seed ?? '1'),
    path: values.json ?? 'soak.json',
  };
}

function readHours(text: string): number {
  const hours = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (hours > 0 && hours <= HOURS_MAX) return hours;
  throw new UserError(`HOURS "${text}" is not a number above 0 and up to ${HOURS_MAX}; e.g. 0.5`);
}

function readSlice(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= SLICE_MS_MIN) return ms;
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`--slice: ${error.message}`);
    throw error;
  }
  throw new UserError(`--slice ${text} is out of range; allowed: 1s or more`);
}

function readSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= SEED_MAX) return Number(text);
  throw new UserError(`--seed "${text}" is not a whole number from 0 to ${SEED_MAX}`);
}

function readTotals(path: string): soak.Totals {
  if (!existsSync(path)) return soak.noTotals();
  return soak.parseTotals(
    path,
    withPath(path, 'read', () => readFileSync(path, 'utf8')),
  );
}

/** Whoever reads the file meanwhile finds the totals before or after this slice, whole. */
function writeTotals(path: string, totals: soak.Totals): void {
  withPath(path, 'write', () => {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(totals, null, 2)}\n`);
    renameSync(`${path}.tmp`, path);
  });
}

function withPath<T>(path: string, verb: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new UserError(`cannot ${verb} ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

await runProgram('soak', main);
