/** An exploration made up for tests: a lost entry in five rows, with the states between them. */
import type { Exploration, ExploredViolation } from './exploration.ts';
import type { Interleaving, InterleavingRow, InterleavingState } from './interleaving.ts';

export function sampleExploration(more: Partial<Exploration> = {}): Exploration {
  return {
    ...{ pttorture: '0.1.0', schema: 1, kind: 'exploration', scenario: 'fault-vs-zap', seed: 3 },
    ...{ command: 'pttorture explore --broken no-pmd-recheck', protocol: 'pt-reclaim' },
    broken: 'no-pmd-recheck',
    parameters: { size: '4MiB' },
    machine: { node: 'v20.20.2', platform: 'linux x64', cores: 2, memoryGiB: 7.6 },
    strategy: { name: 'pos', depth: null, bound: null },
    ...{ cpus: 2, searchers: 2, seconds: 1.5, executions: 400, abandoned: 0, steps: 140_000 },
    ...{ longest: 400, traces: 210, states: 13, plans: 2, isExhausted: false },
    ...{ isInterrupted: false, done: null, newShare: 0.5 },
    outcomes: [{ outcome: 'violation', expected: 'never', seen: 'sometimes', met: false }],
    silence: 'No other than 1 violation in 400 executions.',
    violations: [sampleViolation()],
    ...more,
  };
}

export function sampleViolation(more: Partial<ExploredViolation> = {}): ExploredViolation {
  return {
    ...{ kind: 'lost-entry', message: 'cpu0 installed 0x27 in pte table 3', cpus: [0, 1] },
    signature: 'lost-entry',
    found: { planSeed: 3, execution: 17, steps: 445 },
    shrunk: {
      ...{ cpus: 2, operations: 2, steps: 167, preemptions: 1, isMinimal: true },
      ...{ executions: 3960, seconds: 0.9 },
    },
    replay: 'pt1:fault-vs-zap:pt-reclaim:no-pmd-recheck::1.10:0.77-1:rlw4st',
    failure: {
      ...{ plan: {}, edit: null, schedule: '0.77-1', kind: 'lost-entry', message: 'lost' },
      ...{ end: 'done', history: [0, 0, 192, 1] },
    },
    interleaving: sampleInterleaving(),
    ...more,
  };
}

export function sampleInterleaving(more: Partial<Interleaving> = {}): Interleaving {
  return {
    columns: [
      { cpu: 0, runs: 'write' },
      { cpu: 1, runs: 'dontneed' },
    ],
    rows: [
      row(1, 0, 'hook', 'hooks table 3: sets pmd[0]'),
      { ...row(2, 0, 'pmd-read', 'reads pmd[0]: table 3'), staleFrom: { row: 4, cpu: 1 } },
      row(3, 1, 'lock', 'takes ptl of table 3'),
      row(4, 1, 'unhook', 'unhooks table 3: clears pmd[0]'),
      {
        ...row(5, 0, 'pte-write', 'sets pte[0] of table 3: page 2'),
        violation: 'table 3 is unhooked: the entry is lost',
      },
    ],
    states: [
      state(0, [[], []], 'none', 'in use', 'none'),
      state(1, [['pml of table 2'], []], 'table 3', 'in use', 'none'),
      state(2, [[], []], 'table 3', 'in use', 'none'),
      state(3, [[], ['ptl of table 3']], 'table 3', 'in use', 'none'),
      state(4, [[], ['ptl of table 3']], 'none', 'unhooked', 'none'),
      state(5, [['ptl of table 3'], []], 'none', 'unhooked', 'page 2'),
    ],
    waits: [],
    verdict: { kind: 'lost-entry', message: 'cpu0 installed 0x27 in pte table 3' },
    raced: [
      { cpu: 0, row: 2 },
      { cpu: 1, row: 4 },
    ],
    closing: 'The race: cpu0 goes by what it saw (row 5).',
    steps: 167,
    ...more,
  };
}

function row(
  number: number,
  cpu: number,
  kind: InterleavingRow['kind'],
  text: string,
): InterleavingRow {
  return {
    ...{ row: number, cpu, step: 60 + 10 * number, kind, text, violation: null, staleFrom: null },
    site: { function: 'pteAlloc', file: 'src/mm/pte-alloc.ts', line: 35 },
    ...{ actor: 'fault', operation: 1 },
  };
}

/** What the CPUs hold, what pmd[0] holds, how table 3 is, and what its first entry holds. */
function state(
  number: number,
  holds: readonly string[][],
  pmd: string,
  table: string,
  pte: string,
): InterleavingState {
  return {
    ...{ row: number, step: number === 0 ? 69 : 60 + 10 * number },
    holds: holds.map((what, cpu) => ({ cpu, what: [...what] })),
    tables: [
      {
        ...{ table: 2, generation: 1, level: 1, state: 'in use' },
        entries: [
          [0, pmd],
          [1, 'none'],
        ],
      },
      {
        ...{ table: 3, generation: 2, level: 0, state: table },
        entries: [
          [0, pte],
          [1, 'none'],
        ],
      },
    ],
  };
}
