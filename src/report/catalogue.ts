/** What became of the catalogue, as text while it goes on, or as Markdown with every diagram. */
import {
  type CatalogueControl,
  type CatalogueEntry,
  type CatalogueOutcome,
  type CatalogueReport,
  isAlike,
  isAsNamed,
  isOnThreads,
} from '#result/catalogue';
import { renderInterleaving } from './diagram.ts';
import type { ExplorationOptions } from './exploration.ts';
import { replayCommand } from './exploration.ts';
import { formatCounted, formatSeconds, formatShort } from './format.ts';
import { indented, pageOf, wrap } from './page.ts';

/** One broken version, ending in a newline. */
export function entryLines(entry: CatalogueEntry, options: ExplorationOptions): string {
  const page = pageOf(options.width, options.paint);
  const isWell = isAsNamed(entry);
  const lines = [
    ...wrap(page, `${entry.bug} ${entry.name}: ${OUTCOMES[entry.outcome]}`, 2, 'strong'),
    ...indented(page, 2, (room) => wrap(room, entryFigures(entry), 0, isWell ? 'plain' : 'bad')),
  ];
  return `${lines.join('\n')}\n`;
}

/** One control, ending in a newline. */
export function controlLines(control: CatalogueControl, options: ExplorationOptions): string {
  const page = pageOf(options.width, options.paint);
  const { command } = control.exploration;
  const style = control.exploration.violations.length > 0 ? 'bad' : 'plain';
  return `${wrap(page, `control: ${command}: ${controlFigures(control)}`, 2, style).join('\n')}\n`;
}

/** What all of it comes to, in two lines. */
export function catalogueSummary(report: CatalogueReport, options: ExplorationOptions): string {
  return `\n${wrap(pageOf(options.width, options.paint), total(report)).join('\n')}\n`;
}

/** All of that at once. */
export function catalogueText(report: CatalogueReport, options: ExplorationOptions): string {
  return [
    ...report.entries.map((entry) => entryLines(entry, options)),
    ...report.controls.map((control) => controlLines(control, options)),
    catalogueSummary(report, options),
  ].join('');
}

/** A table of all, then each with its diagram, then the controls. */
export function catalogueMarkdown(report: CatalogueReport): string {
  const { entries, controls, command } = report;
  const rows = entries.map((entry) => {
    const { bug, name, oracle, exploration, outcome } = entry;
    const { scenario, protocol } = exploration;
    return row([
      ...[bug, `[${name}](#${anchor(entry)})`, scenario, protocol, oracle, OUTCOMES[outcome]],
      entryFigures(entry),
    ]);
  });
  const head = ['bug', 'broken version', 'scenario', 'protocol', 'oracle', 'outcome', 'figures'];
  const silent = controls.map((control) =>
    row([`\`${control.exploration.command}\``, control.of.join(', '), controlFigures(control)]),
  );
  return [
    `# The catalogue\n\n\`${command}\`: ${total(report)}\n`,
    ...[row(head), rule(head), ...rows, ''],
    ...entries.map(section),
    ...(controls.length === 0
      ? []
      : [
          '## Controls\n\nThe same scenarios, protocols and conditions without the flaws.\n',
          row(['command', 'twin of', 'outcome']),
          rule(['', '', '']),
          ...silent,
        ]),
    '',
  ].join('\n');
}

export const OUTCOMES: Readonly<Record<CatalogueOutcome, string>> = {
  found: 'found',
  before: 'found, by the oracle that comes first',
  other: 'another violation',
  silent: 'nothing found',
};

/** What it took to find, and how it replays. */
export function entryFigures({ exploration, replays }: CatalogueEntry): string {
  const { seconds, executions, violations } = exploration;
  const spent = `${formatShort(executions)} executions, ${formatSeconds(seconds)}`;
  const [violation] = violations;
  if (violation === undefined || replays === null) return spent;
  const { operations, preemptions } = violation.shrunk;
  const threads = isOnThreads({ replays }) ? 'threads agree' : replays.threads;
  return [
    `${violation.kind} after ${spent}`,
    formatCounted(operations, 'operation'),
    formatCounted(preemptions, 'preemption'),
    formatCounted(violation.interleaving.rows.length, 'row'),
    `replayed ${replays.alike} of ${replays.times}`,
    threads,
  ].join('; ');
}

export function controlFigures({ exploration }: CatalogueControl): string {
  const { violations, executions, seconds } = exploration;
  const spent = `${formatShort(executions)} executions, ${formatSeconds(seconds)}`;
  if (violations.length === 0) return `silent, ${spent}`;
  return `${violations.map(({ kind }) => kind).join(', ')} after ${spent}`;
}

/** All of it in a sentence. */
export function total({ entries, controls, seconds, isInterrupted }: CatalogueReport): string {
  const well = entries.filter(isAsNamed);
  const agree = entries.filter(isOnThreads);
  const alike = entries.filter(isAlike);
  const silent = controls.filter(({ exploration }) => exploration.violations.length === 0);
  return (
    `${well.length} of ${formatCounted(entries.length, 'broken version')} found as named, ` +
    `${alike.length} replayed every time, ${agree.length} on real threads too; ` +
    (controls.length === 0 ? '' : `${silent.length} of ${controls.length} controls silent; `) +
    `${formatSeconds(seconds)}${isInterrupted ? ', interrupted' : ''}.`
  );
}

function section(entry: CatalogueEntry): string {
  const { bug, name, summary, source, oracle, before, exploration } = entry;
  const { scenario, protocol, command, violations } = exploration;
  const settings = Object.entries({ ...entry.conditions, ...entry.flaw });
  const under = settings.map(([setting, value]) => `\`${setting}=${value}\``);
  const [violation] = violations;
  const parts = [
    `## ${bug} ${name}\n\n${sentence(summary)} Source: ${source}.\n`,
    `\`${scenario}\` under \`${protocol}\`${under.length === 0 ? '' : `, ${under.join(', ')}`}; ` +
      `must show \`${oracle}\`: \`${command}\`\n`,
    ...(before === null ? [] : [`\`${before.oracle}\` may come first: ${sentence(before.why)}\n`]),
    `${entryFigures(entry)}.\n`,
  ];
  if (violation === undefined) return [...parts, `${exploration.silence}\n`].join('\n');
  const { interleaving, replay, message } = violation;
  return [
    ...parts,
    `${message}.\n`,
    renderInterleaving(interleaving, { width: 100, format: 'markdown' }),
    ...(replay === null ? [] : [`    ${replayCommand(replay)}\n`]),
  ].join('\n');
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

/** As Markdown viewers make it of the heading. */
function anchor({ bug, name }: CatalogueEntry): string {
  return `${bug} ${name}`
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

function row(cells: readonly string[]): string {
  const inRow = (cell: string): string => cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return `| ${cells.map(inRow).join(' | ')} |`;
}

function rule(cells: readonly string[]): string {
  return `|${cells.map(() => '---|').join('')}`;
}
