import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import type { Interleaving, InterleavingRow } from '#result/interleaving';
import { renderInterleaving } from './diagram.ts';

const word = fc.stringMatching(/^[a-wyz[\]().0-9]{1,14}$/);
const words = fc.array(word, { minLength: 1, maxLength: 14 }).map((all) => all.join(' '));

/** Any diagram for up to `cpus` CPUs; `x3` stands in row 3 only. */
function interleavings(cpus: number): fc.Arbitrary<Interleaving> {
  return fc
    .integer({ min: 1, max: cpus })
    .chain((count) =>
      fc.record({
        columns: fc
          .array(words, { minLength: count, maxLength: count })
          .map((all) => all.map((runs, cpu) => ({ cpu, runs }))),
        told: fc.array(
          fc.record({
            cpu: fc.integer({ min: 0, max: count - 1 }),
            text: words,
            site: fc.option(word),
            violation: fc.option(words),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        waits: fc.boolean(),
        closing: words,
      }),
    )
    .map(({ columns, told, waits, closing }) => ({
      columns,
      rows: told.map((each, i) => rowFrom(i + 1, each)),
      waits: waits ? columns.map(({ cpu }) => ({ cpu, holds: ['a'], waitsFor: 'b' })) : [],
      verdict: null,
      raced: null,
      closing,
      steps: 100,
    }));
}

function rowFrom(
  row: number,
  each: { cpu: number; text: string; site: string | null; violation: string | null },
): InterleavingRow {
  const { cpu, violation } = each;
  const site = each.site === null ? null : { function: each.site, file: 'src/x.ts', line: 1 };
  return {
    ...{ row, cpu, step: row, kind: 'other', text: `x${row} ${each.text}`, violation },
    ...{ staleFrom: null, site, actor: 'fault', operation: 1 },
  };
}

function text(interleaving: Interleaving, width: number): string[] {
  return renderInterleaving(interleaving, { width, format: 'text' }).trimEnd().split('\n');
}

describe('columns', () => {
  property([interleavings(6), fc.integer({ min: 40, max: 160 })])(
    'every line fits, and every row stands in order',
    (interleaving, width) => {
      const lines = text(interleaving, width);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
      const all = lines.join('\n');
      const places = interleaving.rows.map(({ row }) => all.search(new RegExp(`x${row}\\b`)));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    },
  );

  property([interleavings(3), fc.integer({ min: 90, max: 160 })])(
    'a row stands below the heading of its CPU',
    (interleaving, width) => {
      const lines = text(interleaving, width);
      const starts = interleaving.columns.map(({ cpu }) => lines[0]!.indexOf(`cpu${cpu}: `));
      for (const { row, cpu } of interleaving.rows) {
        const mark = `x${row}`;
        const line = lines.find((each) => new RegExp(`\\b${mark}\\b`).test(each))!;
        const at = line.search(new RegExp(`\\b${mark}\\b`));
        expect(at).toBeGreaterThanOrEqual(starts[cpu]!);
        expect(at).toBeLessThan(starts[cpu + 1] ?? width);
      }
    },
  );

  property([interleavings(6)])('a narrow page has one column that names the CPU', (one) => {
    const lines = text(one, 59).map((line) => line.trim());
    for (const { row, cpu } of one.rows)
      expect(lines.some((line) => line.startsWith(`${row} cpu${cpu}:`))).toBe(true);
  });
});

test('a function is named where it changes, per CPU', () => {
  const row = (n: number, cpu: number, site: string): InterleavingRow =>
    rowFrom(n, { cpu, text: 'acts', site, violation: null });
  const rows = [row(1, 0, 'f'), row(2, 1, 'g'), row(3, 0, 'f'), row(4, 0, 'h')];
  const columns = [0, 1].map((cpu) => ({ cpu, runs: '' }));
  const one = { columns, rows, waits: [], verdict: null, raced: null, closing: '', steps: 4 };
  const all = text(one, 80).join('\n');
  expect(all).toMatch(/f: x1 acts.*g: x2 acts.* {2}x3 acts.*h: x4 acts/s);
});

property([interleavings(4)])('Markdown has a row of the table for each row', (one) => {
  const lines = renderInterleaving(one, { width: 80, format: 'markdown' }).split('\n');
  for (const { row, cpu } of one.rows) {
    const line = lines.find((each) => each.startsWith(`| ${row} |`))!;
    const cells = line.split(/(?<!\\)\|/);
    expect(cells).toHaveLength(one.columns.length + 3);
    expect(cells[2 + cpu]).toContain(`x${row}`);
    expect(cells[2 + cpu]).not.toMatch(/(?<!\\)[[\]]/);
  }
});

property([interleavings(4)])('JSON is the data', (one) => {
  expect(JSON.parse(renderInterleaving(one, { width: 80, format: 'json' }))).toEqual(one);
});
