/**
 * The README's table of the live kernel against the simulator: what `pttorture validate` says of
 * all plans that it can compare, of some that run on threads, and of random ones.
 */
import { execFileSync } from 'node:child_process';
import { execPath } from 'node:process';
import { formatCount, formatExactKiB, formatKiB } from '#report/format';
import { type Compared, type Validation, validationTotals } from '#result/validation';
import { inPackage } from './root.ts';

const RANDOM_PLANS = 1000;
/** Folders whose scenarios are so small that they are told together. */
const SHELVES = ['litmus', 'races'];
/** Text that one of the documents has at most. */
const DOCUMENT_BYTES_MAX = 64 << 20;

export interface LiveTable {
  readonly head: readonly string[];
  readonly rows: readonly string[];
  readonly legend: string;
  readonly isAsExpected: boolean;
}

export function liveTable(): LiveTable {
  const all = validated([]);
  const threads = validated(['--threads']);
  const random = validated(['--random', String(RANDOM_PLANS)]);
  const documents = [all, threads, random];
  const differences = documents.map((document) => validationTotals(document).differences);
  const { plans } = random.random!;
  return {
    head: ['plans', 'operations', 'checkpoints', 'peak VmPTE', 'peak RSS', 'differences'],
    rows: [
      ...all.plans
        .filter(({ name }) => shelfOf(name) === undefined)
        .map((plan) => row(plan.name, [plan])),
      ...SHELVES.map((shelf) => {
        const of = all.plans.filter(({ name }) => shelfOf(name) === shelf);
        return row(`${of.length} of ${shelf}`, of);
      }),
      row(`${threads.plans.length} on threads, at quiescence`, threads.plans),
      randomRow(`${formatCount(plans)} at random`, random),
    ],
    legend: legendOf(all),
    isAsExpected: differences.every((count) => count === 0),
  };
}

function shelfOf(name: string): string | undefined {
  return SHELVES.find((shelf) => name.startsWith(`${shelf}/`));
}

function row(name: string, plans: readonly Compared[]): string {
  const sum = (of: (plan: Compared) => number): string =>
    formatCount(plans.reduce((total, plan) => total + of(plan), 0));
  const peak = (of: (plan: Compared) => number): number =>
    plans.reduce((highest, plan) => Math.max(highest, of(plan)), 0);
  const cells = [
    name,
    sum(({ operations }) => operations),
    sum(({ checkpoints }) => checkpoints),
    formatExactKiB(peak(({ vmptePeakKiB }) => vmptePeakKiB)),
    formatKiB(peak(({ rssPeakKiB }) => rssPeakKiB)),
    sum(({ difference }) => (difference === null ? 0 : 1)),
  ];
  return `| ${cells.join(' | ')} |`;
}

function randomRow(name: string, { random }: Validation): string {
  const { operations, checkpoints, shrunk } = random!;
  const cells = [name, formatCount(operations), formatCount(checkpoints), '', ''];
  return `| ${[...cells, shrunk === null ? '0' : '1'].join(' | ')} |`;
}

function legendOf({ kernel, protocol, date, leftOut }: Validation): string {
  const reclaims = kernel.reclaims ? 'with' : 'without';
  return (
    `From \`npm run readme -- live\`: Linux ${kernel.release}, ${reclaims} CONFIG_PT_RECLAIM (so ` +
    `the simulator ran \`${protocol}\`), ${date}. A checkpoint compares VmPTE and RSS, to the ` +
    'kilobyte, and which of the pages touched since the last are there. Not compared: ' +
    `${leftOut.map(({ name, why }) => `${name} (${why})`).join('; ')}.`
  );
}

function validated(words: readonly string[]): Validation {
  const program = inPackage('dist', 'src', 'cli', 'main.js');
  process.stderr.write(`validate ${words.join(' ')}\n`);
  try {
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
    const options = { stdio, maxBuffer: DOCUMENT_BYTES_MAX };
    return parsed(execFileSync(execPath, [program, 'validate', ...words, '--json', '-'], options));
  } catch (error) {
    // With differences it exits with 1, and has told them.
    const { status, stdout } = error as { status?: number; stdout?: Buffer };
    if (status !== 1 || stdout === undefined) throw error;
    return parsed(stdout);
  }
}

function parsed(stdout: Buffer): Validation {
  return JSON.parse(stdout.toString()) as Validation;
}
