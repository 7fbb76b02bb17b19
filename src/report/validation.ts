/** What came of holding the simulator against the live kernel, as text or Markdown. */
import type { Reading } from '#result/reading';
import {
  type Compared,
  type Difference,
  type Validation,
  validationTotals,
} from '#result/validation';
import { formatCount, formatCounted, formatExactKiB, formatKiB, formatSeconds } from './format.ts';
import { heading, type Page, type Paint, pageOf, wrap } from './page.ts';
import { type Cell, type Column, cell, table } from './table.ts';

export interface ValidationOptions {
  readonly width: number;
  readonly paint: Paint;
}

/** Ends in a newline; the last line counts plans, checkpoints and differences. */
export function validationText(validation: Validation, options: ValidationOptions): string {
  const page = pageOf(options.width, options.paint);
  const lines = [
    ...wrap(page, title(validation), 0, 'strong'),
    ...plansText(page, validation.plans),
    ...randomText(page, validation),
    ...leftOutText(page, validation),
    ...validation.plans.flatMap(({ name, difference }) => differenceText(page, name, difference)),
    '',
    totals(validation),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for a README: a table of the plans. */
export function validationMarkdown(validation: Validation): string {
  const rows = validation.plans.map((plan) => [
    [plan.name, ...plan.notes].join(', '),
    ...figuresOf(plan),
    plan.difference === null ? 'none' : `at operation ${formatCount(plan.difference.operation)}`,
  ]);
  const { random } = validation;
  if (random !== null)
    rows.push([
      `${formatCount(random.plans)} random plans`,
      ...[formatCount(random.operations), formatCount(random.checkpoints), '', ''],
      random.shrunk === null
        ? 'none'
        : `in ${formatCounted(random.shrunk.ops.length, 'operation')}`,
    ]);
  const head = ['plan', 'operations', 'checkpoints', 'peak VmPTE', 'peak RSS', 'difference'];
  const lines = [head, ['---', '---:', '---:', '---:', '---:', '---'], ...rows];
  const tableText = lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
  return `${title(validation)}\n\n${tableText}\n\n${totals(validation)}\n`;
}

/** Operations, checkpoints, and the peaks of page tables and resident memory. */
function figuresOf(plan: Compared): string[] {
  return [
    ...[formatCount(plan.operations), formatCount(plan.checkpoints)],
    ...[formatExactKiB(plan.vmptePeakKiB), formatKiB(plan.rssPeakKiB)],
  ];
}

/** `12 plans compared, 3,456 checkpoints, 0 differences`. */
function totals(validation: Validation): string {
  const { plans, checkpoints, differences } = validationTotals(validation);
  const cut = validation.isInterrupted ? ' (interrupted)' : '';
  return (
    `${formatCounted(plans, 'plan')} compared, ${formatCounted(checkpoints, 'checkpoint')}, ` +
    `${formatCounted(differences, 'difference')}${cut}`
  );
}

function title({ kernel, protocol, broken, date, seconds }: Validation): string {
  const config = `CONFIG_PT_RECLAIM=${kernel.reclaims ? 'y' : 'n'} by ${kernel.source}`;
  const edit = broken === null ? '' : `, broken by ${broken}`;
  return (
    `Linux ${kernel.release} (${config}) against the simulator under ${protocol}${edit}, ` +
    `${date}, ${formatSeconds(seconds)}`
  );
}

const PLAN_COLUMNS: readonly Column[] = [
  { head: 'plan', align: 'left' },
  { head: 'operations', align: 'right' },
  { head: 'checks', align: 'right' },
  { head: 'peak VmPTE', align: 'right' },
  { head: 'peak RSS', align: 'right' },
  { head: 'difference', align: 'left' },
];

function plansText(page: Page, plans: readonly Compared[]): string[] {
  if (plans.length === 0) return [];
  const rows = plans.map((plan) => [
    { text: plan.name, style: 'plain' as const },
    ...figuresOf(plan).map((figure) => cell(figure)),
    plan.difference === null
      ? cell('none', 'good')
      : cell(`at ${formatCount(plan.difference.operation)}`, 'bad'),
  ]);
  const notes = plans.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`));
  const said = notes.flatMap((note) => wrap(page, note, 2, 'dim'));
  return ['', ...table(page, PLAN_COLUMNS, rows), ...(said.length === 0 ? [] : ['', ...said])];
}

function randomText(page: Page, { random }: Validation): string[] {
  if (random === null) return [];
  const head =
    `${formatCounted(random.plans, 'random plan')}, ` +
    `${formatCounted(random.operations, 'operation')}, ` +
    formatCounted(random.checkpoints, 'checkpoint');
  const { shrunk } = random;
  if (shrunk === null) return ['', ...wrap(page, `${head}: no difference.`)];
  const { ops, foundOperations, trials, difference } = shrunk;
  return [
    '',
    ...wrap(page, `${head}.`),
    ...wrap(
      page,
      `The last differs. Of its ${formatCounted(foundOperations, 'operation')} these ` +
        `${formatCount(ops.length)} are left after ${formatCounted(trials, 'trial')}:`,
    ),
    ...ops.map((op, i) => `  ${i + 1}  ${op}`),
    ...differenceText(page, 'the random plan', difference),
  ];
}

function leftOutText(page: Page, { leftOut }: Validation): string[] {
  if (leftOut.length === 0) return [];
  const lines = leftOut.flatMap(({ name, why }) => wrap(page, `${name}: ${why}`, 2, 'dim'));
  return [...heading(page, 'Not compared'), ...lines];
}

/** Checkpoints that the text goes back; the document has more. */
const HISTORY_SHOWN = 6;

function differenceText(page: Page, name: string, difference: Difference | null): string[] {
  if (difference === null) return [];
  const { operation, history, kernel, simulator, isSettled } = difference;
  const shown = history.slice(-HISTORY_SHOWN);
  const figures = FIGURES.filter(([, of]) =>
    shown.some((moment) => of(moment.kernel) !== 0 || of(moment.simulator) !== 0),
  );
  const columns: Column[] = [
    { head: 'after', align: 'right' },
    { head: 'operation', align: 'left' },
    ...figures.map(([head]): Column => ({ head, align: 'right' })),
  ];
  const rows = shown.map((moment) => [
    cell(formatCount(moment.operation)),
    { text: moment.text },
    ...figures.map(([, of]) => pair(of(moment.kernel), of(moment.simulator))),
  ]);
  const doubt = isSettled ? '' : ' It did not come out twice in the same way.';
  const head = `${name} differs after operation ${formatCount(operation)}`;
  return [
    ...heading(page, head),
    ...wrap(page, `Live kernel / simulator, KiB.${doubt}`, 0, 'dim'),
    ...table(page, columns, rows),
    ...pagesText(page, kernel, simulator),
  ];
}

const FIGURES: readonly (readonly [head: string, of: (reading: Reading) => number])[] = [
  ['VmPTE', ({ vmpteKiB }) => vmpteKiB],
  ['RSS', ({ rssKiB }) => rssKiB],
  ['refused', ({ refused }) => refused],
];

function pair(live: number, simulated: number): Cell {
  const text = `${formatCount(live)} / ${formatCount(simulated)}`;
  return live === simulated ? { text } : { text, style: 'bad' };
}

/** The first watched span of which not the same pages are present. */
function pagesText(page: Page, kernel: Reading, simulator: Reading): string[] {
  if (simulator.vmpteKiB < 0) return wrap(page, 'The simulated machine has halted.', 0, 'bad');
  const i = kernel.present.findIndex((runs, at) => runs !== simulator.present[at]);
  if (i === -1) return [];
  const show = (runs: string): string => (runs === '' ? 'none' : runs);
  return [
    ...wrap(page, `pages present, live:      ${show(kernel.present[i]!)}`, 2),
    ...wrap(page, `pages present, simulated: ${show(simulator.present[i]!)}`, 2),
  ];
}
