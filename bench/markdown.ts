/** The bench as Markdown: the machine, then a section for each group with its tables. */
import {
  type BenchResult,
  busyLine,
  groupTables,
  type MeasuredGroup,
  machineLine,
  type Table,
  wakeUpLine,
} from './report.ts';

export function markdown(result: BenchResult): string {
  const { machine, wakeUpUs, groups, rounds, ms } = result;
  const head = [machineLine(machine), busyLine(machine) ?? [], wakeUpLine(wakeUpUs)].flat();
  const how = `${rounds} rounds, --ms ${ms}. A figure is the median of the ratios of each round.`;
  const lines = ['# Bench', '', ...head.map((line) => `- ${asText(line)}`), `- ${how}`];
  for (const group of groups) lines.push('', ...section(group, rounds));
  return `${lines.join('\n')}\n`;
}

function section(measured: MeasuredGroup, rounds: number): string[] {
  const { group, summary, notes } = measured;
  const lines = [`## ${group}`, '', `${asText(summary)}.`];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `- ${asText(note)}`));
  for (const table of groupTables(measured, rounds)) lines.push('', ...tableLines(table));
  return lines;
}

function tableLines({ heads, rows, numbers: [from, end] }: Table): string[] {
  const rule = heads.map((_, i) => (i >= from && i < end ? '--:' : '---'));
  return [heads.map(asText), rule, ...rows.map((row) => row.map(asText))].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
}

/** As text, on one line, in a cell. */
function asText(text: string): string {
  return text.replace(/[\\`*_<>|[\]#]/g, '\\$&').replace(/\s+/g, ' ');
}
