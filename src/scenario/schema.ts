/**
 * What a scenario file may say. Strict: a key that is not listed here is a mistake. Published as
 * JSON Schema in `scenarios/scenario.schema.json`, so that editors complete and check the files.
 */
import { z } from 'zod';
import { opsSchema } from './op-schema.ts';
import { outcomesSchema } from './outcomes.ts';
import type { Figure, VmaFlag } from './plan.ts';
import { nameSchema, scalarSchema } from './scalar-schema.ts';
import { type Kind, SETTING_TYPES } from './setting.ts';

export const CPUS_MAX = 64;
export const VMA_FLAGS = [
  'hugetlb',
  'hugepage',
  'uffd-wp',
  'uffd-missing',
  'shared',
  'pt-scan',
  'noreserve',
] as const satisfies readonly VmaFlag[];
export const FIGURES = [
  'vmpteAboveStartKiB',
  'vmpteKiB',
  'rssKiB',
  'pteTables',
  'reclaimedPercent',
  'phaseSeconds',
] as const satisfies readonly Figure[];
/** Figures that the result has of each phase. */
export const FIGURES_OF_PHASES: readonly string[] = ['vmpteKiB', 'phaseSeconds'];

/** What each value of the `machine` and `regions` sections may be. */
export const MACHINE_KINDS = {
  cpus: { type: 'integer', min: 1, max: CPUS_MAX },
  memory: { type: 'size', min: '4KiB' },
  tables: { type: 'integer', min: 1 },
  backing: { type: 'choice', choices: ['fixed', 'on-demand'] },
  gather: { type: 'integer', min: 1, max: 65_536 },
  gatherTables: { type: 'integer', min: 1, max: 500 },
  tableFree: { type: 'choice', choices: ['rcu', 'ipi', 'sync', 'now'] },
  allocfail: { type: 'integer', min: 0, max: 1_000_000 },
  walkers: { type: 'choice', choices: ['fixed', 'as-posted'] },
  pwc: { type: 'choice', choices: ['all', 'range'] },
  scheduler: { type: 'choice', choices: ['fair', 'fifo'] },
  shootdown: { type: 'choice', choices: ['ipi', 'broadcast'] },
  resched: { type: 'integer', min: 0, max: 1_000_000 },
  noise: { type: 'integer', min: 0, max: 100 },
  ownership: { type: 'choice', choices: ['interleaved', 'slots', 'shared'] },
  ptrsShift: { type: 'integer', min: 2, max: 9 },
  levels: { type: 'integer', min: 2, max: 4 },
} as const satisfies Record<string, Kind>;

export const SIZE: Kind = { type: 'size', min: '4KiB' };
export const GAP: Kind = { type: 'size' };
export const DURATION: Kind = { type: 'duration', min: '1ms' };

const written = z.union([z.string(), z.number()]);

const setting = z.strictObject({
  type: z.enum(SETTING_TYPES),
  default: written,
  min: written.optional(),
  max: written.optional(),
  choices: z.array(z.string()).min(1).optional().describe('What a choice may be.'),
  summary: z.string().describe('One sentence for "pttorture list".'),
});

const machine = z
  .strictObject({
    cpus: scalarSchema(MACHINE_KINDS.cpus).describe('CPUs unless --cpus says otherwise.'),
    memory: scalarSchema(MACHINE_KINDS.memory).describe('Page frames; default: enough.'),
    tables: scalarSchema(MACHINE_KINDS.tables).describe('Table frames; default: enough.'),
    backing: scalarSchema(MACHINE_KINDS.backing).describe('on-demand: empty tables have no body.'),
    gather: scalarSchema(MACHINE_KINDS.gather).describe('Pages one mmu gather holds.'),
    gatherTables: scalarSchema(MACHINE_KINDS.gatherTables).describe('Tables one gather holds.'),
    tableFree: scalarSchema(MACHINE_KINDS.tableFree).describe(
      'How a table is freed alone when its batch cannot be allocated: queued to RCU, after an ' +
        'interrupt to all CPUs, after waiting for a grace period (sync), or at once (wrong).',
    ),
    allocfail: scalarSchema(MACHINE_KINDS.allocfail).describe(
      'Failing allocations (page, table, gather batch) per million.',
    ),
    walkers: scalarSchema(MACHINE_KINDS.walkers).describe(
      'How walkers react when a table is not to be had.',
    ),
    pwc: scalarSchema(MACHINE_KINDS.pwc).describe(
      'What a flush after which tables go drops of the paging-structure caches: all, as on x86, ' +
        'or its range.',
    ),
    scheduler: scalarSchema(MACHINE_KINDS.scheduler).describe(
      'Of exploration: fair, or fifo: what CPU 0 runs has the higher priority on the one ' +
        'processor of all, so that once an operation of it has begun no other CPU goes on while ' +
        'it can. Threads are scheduled by the system.',
    ),
    shootdown: scalarSchema(MACHINE_KINDS.shootdown).describe(
      'How a flush reaches other CPUs: by interrupts, as on x86, or by hardware alone.',
    ),
    resched: scalarSchema(MACHINE_KINDS.resched).describe('need-resched per million entries.'),
    noise: scalarSchema(MACHINE_KINDS.noise).describe('Random delays: 0 none, 100 most.'),
    ownership: scalarSchema(MACHINE_KINDS.ownership).describe('Who writes which page.'),
    ptrsShift: scalarSchema(MACHINE_KINDS.ptrsShift).describe('Entries per table, power of two.'),
    levels: scalarSchema(MACHINE_KINDS.levels).describe('Levels of tables.'),
  })
  .partial();

const region = z.strictObject({
  size: scalarSchema(SIZE).describe(
    'E.g. 8GiB, $size, or 55TiB / $scale: divided (or, with *, multiplied) by an integer or ' +
      'percent parameter, and rounded up to whole pages. Any number may be scaled so.',
  ),
  flags: z
    .array(z.enum(VMA_FLAGS))
    .optional()
    .describe('What kind of mapping it is; faults and protocols look at it.'),
  gap: scalarSchema(GAP)
    .optional()
    .describe('Distance from the region before; default: an empty slot; 0B: they share a table.'),
});

const cpuNumber = z
  .int()
  .min(0)
  .max(CPUS_MAX - 1);

const column = z.strictObject({
  cpu: z
    .union([z.enum(['all', 'even', 'odd', 'rest']), cpuNumber, z.array(cpuNumber).min(1)], {
      error: `expected all, even, odd, rest, a CPU number (0-${CPUS_MAX - 1}) or a list of them`,
    })
    .describe('Which CPUs run this column; rest: those that no other column names.'),
  do: opsSchema,
});

const expectation = z.strictObject({
  figure: z.enum(FIGURES),
  phase: z
    .string()
    .optional()
    .describe(
      'Of which phase: setup, main (the default of phaseSeconds), fair, or that of a rendezvous. ' +
        'Only phaseSeconds and vmpteKiB are of a phase; vmpteKiB is that at the end of it.',
    ),
  min: z.number().optional(),
  max: z.number().optional(),
  when: z
    .record(nameSchema, written)
    .optional()
    .describe('Holds only with these parameter values.'),
});

const scenarioFileSchema = z.strictObject({
  question: z.string().min(1).describe('What this scenario asks, in one sentence.'),
  source: z.string().min(1).describe('Where the story comes from.'),
  protocol: z
    .string()
    .optional()
    .describe('The protocol that the question is about, where it is about one.'),
  parameters: z.record(nameSchema, setting).optional().describe('What -p NAME=VALUE may set.'),
  machine: machine.optional(),
  regions: z.record(nameSchema, region).optional().describe('Address space, in this order.'),
  protocols: z
    .record(z.string(), z.record(z.string(), written))
    .optional()
    .describe('Options of protocols in this scenario, by protocol.'),
  setup: opsSchema.optional().describe('What CPU 0 does before the others start.'),
  columns: z.array(column).min(1),
  duration: scalarSchema(DURATION).optional().describe('Ends the run unless --duration says so.'),
  expect: z
    .record(z.string(), z.array(expectation).min(1))
    .optional()
    .describe('What must be true at the end, by protocol (any: of each).'),
  outcomes: outcomesSchema
    .optional()
    .describe(
      'What executions may end in, by protocol (any: unless its own section says otherwise); ' +
        'for exploration. A violation never, by default.',
    ),
});

export type ScenarioFile = z.infer<typeof scenarioFileSchema>;
export type ColumnForm = z.infer<typeof column>;
export type CpuSelector = ColumnForm['cpu'];
export type ExpectationForm = z.infer<typeof expectation>;

export { scenarioFileSchema };

/** The schema as editors read it. */
export function scenarioJsonSchema(): unknown {
  return z.toJSONSchema(scenarioFileSchema, { io: 'input' });
}
