/** Broken versions, each narrated from the shortest of many failing schedules. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { editNamed } from '#catalogue/named.suite';
import { renderInterleaving } from '#report/diagram';
import type { Interleaving } from '#result/interleaving';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan } from '#scenario/plan';
import { ReplayStrategy } from '../schedule.ts';
import { machineFor, plan } from '../small.suite.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import { type NarrateOptions, narrate } from './narrate.ts';
import { inOrder, shortest } from './told.suite.ts';

const ROWS_MAX = 14;

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const TOUCH: Op = { op: 'touch', access: 'write', pages: 'every', ...WHOLE };
const READ: Op = { ...TOUCH, access: 'read' };
const ONE: Op = { ...TOUCH, extent: { page: 0, pages: 1 } };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const SLEEP: Op = { op: 'sleep', ms: 20 };
const SCAN: Op = { op: 'scan', untilIdle: false };
const PAGEMAP: Op = { op: 'walk', walker: 'pagemap', ...WHOLE };
/** One page is present. */
const SETUP: Partial<Plan> = { setup: [mapOf(0), ONE] };

interface Case {
  readonly plan: Plan;
  readonly kind: string;
  /** `cpu text` of rows that must be there, in this order; `A` and `B` are the CPUs. */
  readonly rows: readonly RegExp[];
}

const CASES: Readonly<Record<string, Case>> = {
  'no-pmd-recheck': {
    plan: plan('pt-reclaim', [[ONE], [DONTNEED]], SETUP),
    kind: 'lost-entry',
    rows: [
      /^0 reads pmd\[0\]: table 3$/,
      /^1 unhooks table 3: clears pmd\[0\]$/,
      /^1 releases .*ptl of table 3/,
      /^0 (waits, then )?takes ptl of table 3$/,
      /^0 reads pte\[0\] of table 3: none$/,
      /^0 sets pte\[0\] of table 3: page \d+ \(write, dirty\) ! table 3 is unhooked/,
    ],
  },
  'scan-without-ptl': {
    plan: plan(
      'async-scanner',
      [
        [DONTNEED, ONE],
        [SCAN, SCAN],
      ],
      SETUP,
    ),
    kind: 'nonempty-table-freed',
    rows: [
      /^1 reads pte\[0.*of table 3: (all )?none$/,
      /^0 takes ptl of table 3$/,
      /^0 sets pte\[0\] of table 3: page \d+ \(write, dirty\)$/,
      /^1 unhooks table 3: clears pmd\[0\] ! table 3 has an entry set$/,
    ],
  },
  'free-without-rcu': {
    plan: plan('pt-reclaim', [[PAGEMAP], [DONTNEED]], SETUP),
    kind: 'use-after-free',
    rows: [
      /^0 begins an RCU read section$/,
      /^0 reads pmd\[0\]: table 3$/,
      /^1 unhooks table 3: clears pmd\[0\]$/,
      /^1 frees table 3$/,
      /^0 follows its entry to table 3 ! table 3 is free, or used again$/,
    ],
  },
  'lazy-not-flushed': {
    plan: plan('pt-reclaim', [[READ, SLEEP], [DONTNEED]], SETUP),
    kind: 'stale-translation',
    rows: [
      /^0 remembers slot \d: table 3$/,
      /^1 unhooks table 3: clears pmd\[0\]$/,
      /^1 begins a TLB flush of slot \d \(pages only\)$/,
      /^1 finds cpu0 idle in lazy TLB mode$/,
      /^1 frees table 3$/,
      /^0 walks slot \d entry \d by what it remembers: table 3 ! that table is gone$/,
    ],
  },
  'no-shootdown': {
    plan: plan('pt-reclaim', [[READ, READ], [DONTNEED]], SETUP),
    kind: 'stale-translation',
    rows: [
      /^0 remembers slot \d entry 0: page 2 \(write, dirty\)$/,
      /^1 clears pte\[0\] of table 3: was page 2 \(write, dirty\)$/,
      /^1 begins a TLB flush of slot \d \(tables too\)$/,
      /^1 flushes its own TLB$/,
      /^1 frees page 2$/,
      /^0 accesses slot \d+ entry 0 by its TLB: page 2 ! page 2 is free/,
    ],
  },
};

describe.each(Object.entries(CASES))('%s', async (name, { plan: small, kind, rows }) => {
  const machine = await brokenMachine(name, small);
  const schedule = shortest(machine, kind);
  const told = narrate(machine, schedule, { kind });

  test('the decisive rows are there, in order', () => {
    const texts = told.rows.map(
      ({ cpu, text, violation }) => `${cpu} ${text}${violation === null ? '' : ` ! ${violation}`}`,
    );
    expect(inOrder(texts, rows), texts.join('\n')).toBe(rows.length);
  });

  test('it is short, and rows are numbered in the order of steps', () => checkShape(told));

  test('the closing sentence names both CPUs, and rows that are theirs', () => {
    expect(told.verdict!.kind).toBe(kind);
    expect(told.closing).toMatch(new RegExp(`^${kind}: `));
    expect(new Set(told.raced!.map(({ cpu }) => cpu))).toEqual(new Set([0, 1]));
    for (const { cpu, row } of told.raced!) {
      expect(told.rows[row - 1]!.cpu).toBe(cpu);
      expect(told.closing).toMatch(new RegExp(`cpu${cpu} [^;]*\\(row ${row}\\)`));
    }
    const [read, change] = told.raced!;
    expect(told.rows[read!.row - 1]!.staleFrom).toEqual({ row: change!.row, cpu: change!.cpu });
  });

  test('sites are functions of the sources, and lines within them', () => checkSites(told));

  test('the states agree with what the rows say', () => checkStates(told));

  test('telling it again tells the same, and the machine goes on as before', () => {
    expect(narrate(machine, schedule, { kind })).toEqual(told);
    const { verdicts } = machine.execute(new ReplayStrategy(schedule), 0);
    expect(verdicts.map((each) => each.kind)).toContain(kind);
  });
});

describe('blocking-pml-under-ptl', async () => {
  const columns = [
    [DONTNEED, TOUCH, DONTNEED],
    [TOUCH, DONTNEED],
  ];
  const machine = await brokenMachine('blocking-pml-under-ptl', plan('pt-reclaim', columns));
  const told = narrate(machine, shortest(machine, 'deadlock'), { kind: 'deadlock' });

  test('who holds what and waits for what stands below the rows', () => {
    const [one, other] = told.waits;
    expect(told.waits.map(({ cpu }) => cpu)).toEqual([0, 1]);
    expect(one!.holds).toContain(other!.waitsFor);
    expect(other!.holds).toContain(one!.waitsFor);
    const lines = text(told).split('\n');
    expect(lines.findIndex((line) => /holds p[mt]l.*holds p[mt]l/.test(line))).toBeGreaterThan(2);
  });

  test('the rows in which the locks were taken are there, and named at the end', () => {
    for (const { cpu, waitsFor } of told.waits) {
      const { row } = told.raced!.find((each) => each.cpu !== cpu)!;
      expect(told.rows[row - 1]!.text).toMatch(new RegExp(`takes ${literal(waitsFor)}`));
      expect(told.closing).toMatch(new RegExp(`cpu${cpu} .* and waits for ${literal(waitsFor)}`));
      expect(told.closing).toContain(`(row ${row})`);
    }
    checkShape(told);
  });
});

test('who is inside a table and yet answers interrupts, and what finds no memory', async () => {
  const more = { ...SETUP, gatherFallback: 'ipi', allocFailPerMillion: 300_000 } as const;
  const columns = [
    [READ, READ],
    [DONTNEED, DONTNEED],
  ];
  const machine = await machineFor(null, plan('pt-reclaim', columns, more));
  const told = narrate(machine, shortest(machine, 'use-after-free'), { kind: 'use-after-free' });
  const rows = [
    /^0 reads pmd\[0\]: table \d+/,
    /^1 unhooks table \d+/,
    /^1 finds no memory$/,
    /^0 serves the interrupt$/,
    /^1 frees table \d+$/,
    /^0 takes ptl of table \d+/,
    /^0 follows its entry to table \d+$/,
  ];
  const texts = told.rows.map(({ cpu, text: clause }) => `${cpu} ${clause}`);
  expect(inOrder(texts, rows), texts.join('\n')).toBe(rows.length);
});

test('an execution in which nothing is wrong can be told too', async () => {
  const machine = await machineFor(null, plan('pt-reclaim', [[ONE], [DONTNEED]], SETUP));
  const told = narrate(machine, { stretches: [], choices: [] });
  expect(told.verdict).toBe(null);
  expect(told.closing).toBe('Nothing is wrong.');
  checkShape(told);
});

test('how many rows there are is up to the caller; the acts that raced stay', async () => {
  const { plan: small, kind } = CASES['no-pmd-recheck']!;
  const machine = await brokenMachine('no-pmd-recheck', small);
  const options: NarrateOptions = { kind, rowsMax: 3 };
  const told = narrate(machine, shortest(machine, kind), options);
  expect(told.rows.map(({ kind: what }) => what)).toEqual(['pmd-read', 'unhook', 'pte-write']);
});

function brokenMachine(name: string, small: Plan): Promise<SteppedMachine> {
  return machineFor(editNamed(name), small);
}

function checkShape(told: Interleaving): void {
  expect(told.rows.length).toBeLessThanOrEqual(ROWS_MAX);
  expect(told.rows.map(({ row }) => row)).toEqual(told.rows.map((_, i) => i + 1));
  const steps = told.rows.map(({ step }) => step);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  for (const line of text(told).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
}

/** A state after each row, and one before them: each row that says what changes is borne out. */
function checkStates({ rows, states, columns }: Interleaving): void {
  expect(states!.map(({ row }) => row)).toEqual([0, ...rows.map(({ row }) => row)]);
  let checked = 0;
  const check = (told: string, found: unknown, wanted: unknown): void => {
    expect(found, told).toEqual(wanted);
    checked++;
  };
  for (const [i, { cpu, text: told }] of rows.entries()) {
    const { holds, tables } = states![i + 1]!;
    expect(holds.map((each) => each.cpu)).toEqual(columns.map((each) => each.cpu));
    const held = holds.find((each) => each.cpu === cpu)!.what;
    const [, taken] = /takes (p[mt]l of table \d+)/.exec(told) ?? [];
    if (taken !== undefined) check(told, held.includes(taken), true);
    const [, left] = /^releases (?:.*, )?(p[mt]l of table \d+)$/.exec(told) ?? [];
    if (left !== undefined) check(told, held.includes(left), false);
    const entry = (table: number | null, index: number): string | undefined =>
      tables
        .find((each) => (table === null ? each.level === 1 : each.table === table))
        ?.entries.find(([at]) => at === index)?.[1];
    const [, index, table, value] =
      /^sets pte\[(\d+)\] of table (\d+): (.*)$/.exec(told) ??
      /^clears pte\[(\d+)\] of table (\d+): /.exec(told) ??
      [];
    if (index !== undefined) check(told, entry(Number(table), Number(index)), value ?? 'none');
    const [, hooked, at] = /^hooks (table \d+): sets pmd\[(\d+)\]$/.exec(told) ?? [];
    if (hooked !== undefined) check(told, entry(null, Number(at)), hooked);
    const [, gone, from] = /^unhooks table (\d+): clears pmd\[(\d+)\]$/.exec(told) ?? [];
    if (gone !== undefined) check(told, entry(null, Number(from)), 'none');
    const [, freed] = /^frees table (\d+)$/.exec(told) ?? [];
    const state = tables.find((each) => each.table === Number(freed))?.state;
    if (freed !== undefined) check(told, state, 'free');
  }
  expect(checked).toBeGreaterThan(0);
}

function checkSites(told: Interleaving): void {
  for (const { site } of told.rows) {
    const { file, line, function: name } = site!;
    const url = new URL(`../../../${file}`, import.meta.url);
    const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
    const pattern = new RegExp(`^(export )?(function )?.*\\b${name}\\(`);
    const head = lines.slice(0, line).findLastIndex((each) => /^(export )?function/.test(each));
    expect(pattern.test(lines[head]!), `${file}:${line} in ${name}`).toBe(true);
  }
}

function text(told: Interleaving): string {
  return renderInterleaving(told, { width: 100, format: 'text' });
}

function literal(name: string): string {
  return name.replace(/[()[\]]/g, '\\$&');
}
