/** The report of a campaign of mutations, in Markdown, and its figures. */
import type { Mutation } from '#derive/mutations';
import { ARGUMENTS, type Argument } from './mutation-arguments.ts';
import type { Trial } from './mutation-trial.ts';

export interface Campaign {
  readonly seed: number;
  readonly sites: number;
  readonly cases: number;
  readonly control: { readonly executions: number; readonly complaints: readonly string[] };
  readonly budgetMs: number;
  readonly trials: readonly Trial[];
}

export interface Tally {
  readonly found: number;
  readonly equivalent: number;
  readonly survived: number;
  readonly notArgued: number;
}

export function tallyOf(trials: readonly Trial[]): Tally {
  const survivors = trials.filter(({ found }) => found === null);
  const arguments_ = survivors.map(({ mutation }) => argumentFor(mutation));
  const equivalent = arguments_.filter((each) => each?.verdict === 'equivalent').length;
  return {
    found: trials.length - survivors.length,
    equivalent,
    survived: survivors.length - equivalent,
    notArgued: arguments_.filter((each) => each === undefined).length,
  };
}

/** One line: how many of those that change anything were found. */
export function summaryOf(trials: readonly Trial[]): string {
  const { found, equivalent, survived, notArgued } = tallyOf(trials);
  const real = found + survived;
  const share = real === 0 ? '-' : ((100 * found) / real).toFixed(1);
  return (
    `${trials.length} mutations: ${equivalent} equivalent, ${found} of the other ${real} found ` +
    `(${share} %), ${survived} survived, ${notArgued} of them not argued`
  );
}

/** One line on one trial, for the terminal. */
export function lineOf({ mutation, found, cases, executions, seconds }: Trial): string {
  const time = `${seconds.toFixed(1)} s, ${executions} executions, ${cases} cases`;
  if (found !== null)
    return `found     ${mutation.id}: ${found.by} in ${found.on || '-'} (${time})`;
  return `${(argumentFor(mutation)?.verdict ?? 'survived').padEnd(9)} ${mutation.id} (${time})`;
}

export function reportOf(campaign: Campaign): string {
  const { seed, sites, cases, control, budgetMs, trials } = campaign;
  const found = trials.filter((trial) => trial.found !== null);
  const others = trials.filter((trial) => trial.found === null);
  return [
    `# Mutations, seed ${seed}`,
    '',
    `${summaryOf(trials)}.`,
    '',
    `From \`npm run mutate -- --seed ${seed}\`: ${trials.length} drawn from ${sites} sites in ` +
      `sync, mm and reclaim, as many of each kind; at most ${budgetMs / 1000} s of a processor ` +
      `each, under pos and random schedules, on those of ${cases} cases (scenario, protocol, ` +
      'settings) that pass the place.',
    '',
    `Control, the living source: ${control.executions} executions, ` +
      `${control.complaints.length === 0 ? 'silent' : control.complaints.join('; ')}.`,
    '',
    '## Found',
    '',
    '| mutation | line | what becomes of what | found by | in | executions | seconds |',
    '|---|---|---|---|---|---|---|',
    ...found.map(foundRow),
    '',
    '## Not found',
    '',
    '| mutation | line | what becomes of what | verdict | executions | cases | argument |',
    '|---|---|---|---|---|---|---|',
    ...others.map(survivorRow),
    '',
  ].join('\n');
}

function foundRow({ mutation, found, executions, seconds }: Trial): string {
  const { by, message, on } = found!;
  return row(
    ...[`\`${mutation.id}\``, String(mutation.line), changeOf(mutation), `**${by}**: ${message}`],
    ...[on === '' ? '' : `\`${on}\``, String(executions), seconds.toFixed(1)],
  );
}

function survivorRow({ mutation, executions, cases }: Trial): string {
  const argument = argumentFor(mutation);
  return row(
    ...[`\`${mutation.id}\``, String(mutation.line), changeOf(mutation)],
    ...[argument?.verdict ?? '**not argued**', String(executions), String(cases)],
    argument?.because ?? '',
  );
}

function changeOf({ before, after }: Mutation): string {
  return after === ';' ? `\`${oneLine(before)}\` goes` : `\`${oneLine(after)}\``;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => oneLine(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

function argumentFor({ id }: Mutation): Argument | undefined {
  return ARGUMENTS[id];
}
