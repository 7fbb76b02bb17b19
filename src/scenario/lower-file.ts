/**
 * A scenario file becomes the parts of a plan, under given values of its parameters. The same code
 * checks a file when it is parsed (with the defaults) and builds a plan (with what the run asks
 * for).
 */
import { formatSize, PAGE_SIZE_BYTES } from '#base/units';
import { type Column, highestCpu } from './columns.ts';
import type { Path } from './document.ts';
import { checkHeap } from './heap.ts';
import { lowerOps } from './lower-ops.ts';
import type { Expectation, Op, Plan, Region } from './plan.ts';
import { checkRendezvous, phasesOf } from './rendezvous.ts';
import {
  DURATION,
  type ExpectationForm,
  FIGURES_OF_PHASES,
  GAP,
  MACHINE_KINDS,
  type ScenarioFile,
  SIZE,
} from './schema.ts';
import { type Choices, listOf, type Scope } from './scope.ts';
import type { Written } from './setting.ts';

/** The machine's part of a plan. */
export type Machine = Pick<
  Plan,
  | 'cpus'
  | 'ptrsShift'
  | 'levels'
  | 'pageFrames'
  | 'tableFrames'
  | 'backing'
  | 'noise'
  | 'gatherPages'
  | 'gatherBatch'
  | 'gatherFallback'
  | 'allocFailPerMillion'
  | 'walkerReactions'
  | 'pwcFlush'
  | 'scheduler'
  | 'shootdown'
  | 'reschedPerMillion'
  | 'ownership'
>;

export interface Lowered {
  readonly machine: Machine;
  readonly regions: readonly Region[];
  readonly setup: readonly Op[];
  readonly columns: readonly Column[];
  readonly durationMs: number | null;
  /** Expectations whose conditions hold, by protocol or `any`. */
  readonly expectations: ReadonlyMap<string, readonly Expectation[]>;
}

/** As on a machine that has room: a gather that one 2 MiB range never fills. */
const MACHINE_DEFAULTS = {
  cpus: 2,
  backing: 'fixed',
  gather: 4096,
  gatherTables: 500,
  tableFree: 'rcu',
  allocfail: 0,
  walkers: 'fixed',
  pwc: 'all',
  scheduler: 'fair',
  shootdown: 'ipi',
  resched: 0,
  noise: 0,
  ownership: 'interleaved',
  ptrsShift: 9,
  levels: 4,
} as const;

export function lowerFile(scope: Scope, file: ScenarioFile): Lowered {
  const machine = lowerMachine(scope, file);
  const regions = lowerRegions(scope, file, machine);
  const inSetup = { regions, sweep: null, mayBeForever: false, mayMeet: false };
  const inColumn = { regions, sweep: null, mayBeForever: true, mayMeet: true };
  const columns = file.columns.map(({ cpu, do: forms }, index) => {
    const path = ['columns', index];
    return { cpu, ops: lowerOps(scope, forms, [...path, 'do'], inColumn), path };
  });
  checkRendezvous(scope, columns);
  const setup = lowerOps(scope, file.setup ?? [], ['setup'], inSetup);
  checkHeap(scope, regions, [{ ops: setup, path: ['setup'] }, ...columns]);
  return {
    machine,
    regions,
    setup,
    columns,
    durationMs:
      file.duration === undefined ? null : scope.number(DURATION, file.duration, ['duration']),
    expectations: lowerExpectations(scope, file, columns),
  };
}

function lowerMachine(scope: Scope, file: ScenarioFile): Machine {
  const form = file.machine ?? {};
  type Key = keyof typeof MACHINE_KINDS;
  const number = (key: Key, otherwise: number): number =>
    form[key] === undefined
      ? otherwise
      : scope.number(MACHINE_KINDS[key], form[key], ['machine', key]);
  const choice = <T extends string>(key: Key, kind: Choices<T>, otherwise: T): T =>
    scope.choice(kind, form[key] ?? otherwise, ['machine', key]);

  const byDefault = MACHINE_DEFAULTS;
  return {
    cpus: number('cpus', Math.max(byDefault.cpus, highestCpu(file.columns) + 1)),
    ptrsShift: number('ptrsShift', byDefault.ptrsShift),
    levels: number('levels', byDefault.levels),
    pageFrames: number('memory', 0),
    tableFrames: number('tables', 0),
    backing: choice('backing', MACHINE_KINDS.backing, byDefault.backing),
    noise: number('noise', byDefault.noise),
    gatherPages: number('gather', byDefault.gather),
    gatherBatch: number('gatherTables', byDefault.gatherTables),
    gatherFallback: choice('tableFree', MACHINE_KINDS.tableFree, byDefault.tableFree),
    allocFailPerMillion: number('allocfail', byDefault.allocfail),
    walkerReactions: choice('walkers', MACHINE_KINDS.walkers, byDefault.walkers),
    pwcFlush: choice('pwc', MACHINE_KINDS.pwc, byDefault.pwc),
    scheduler: choice('scheduler', MACHINE_KINDS.scheduler, byDefault.scheduler),
    shootdown: choice('shootdown', MACHINE_KINDS.shootdown, byDefault.shootdown),
    reschedPerMillion: number('resched', byDefault.resched),
    ownership: choice('ownership', MACHINE_KINDS.ownership, byDefault.ownership),
  };
}

/** Regions in order; by default each begins on a slot boundary with an empty slot before it. */
function lowerRegions(scope: Scope, file: ScenarioFile, machine: Machine): Region[] {
  const slotPages = 2 ** machine.ptrsShift;
  let end = 0;
  const regions = Object.entries(file.regions ?? {}).map(([name, form], index) => {
    const path = ['regions', name];
    if (name === 'chunk') scope.reportKey(path, '"chunk" is the word for a part of a sweep');
    const pages = scope.number(SIZE, form.size, [...path, 'size']);
    const emptySlot = slotPages + ((slotPages - (end % slotPages)) % slotPages);
    const byDefault = index === 0 ? 0 : emptySlot;
    const gapPages =
      form.gap === undefined ? byDefault : scope.number(GAP, form.gap, [...path, 'gap']);
    end += gapPages + pages;
    return { name, pages, flags: form.flags ?? [], gapPages };
  });

  // The upper half of the address space is the kernel's.
  const userPages = 2 ** (machine.levels * machine.ptrsShift - 1);
  if (end >= userPages) {
    const need = formatSize(end * PAGE_SIZE_BYTES);
    const limit = formatSize(userPages * PAGE_SIZE_BYTES);
    scope.report(['regions'], `regions need ${need}; user address space ends below ${limit}`);
  }
  return regions;
}

function lowerExpectations(
  scope: Scope,
  file: ScenarioFile,
  columns: readonly Column[],
): Map<string, Expectation[]> {
  const phases = phasesOf(columns);
  const sections = Object.entries(file.expect ?? {}).map(([protocol, forms]) => {
    const holding = forms.filter((form, index) => {
      const path = ['expect', protocol, index];
      if (form.min === undefined && form.max === undefined) scope.report(path, 'needs min or max');
      checkPhase(scope, form, phases, [...path, 'phase']);
      const conditions = Object.entries(form.when ?? {});
      return conditions
        .map(([name, written]) => holds(scope, name, written, [...path, 'when', name]))
        .every((holding) => holding);
    });
    return [protocol, holding.map(lowerExpectation)] as const;
  });
  return new Map(sections);
}

function checkPhase(
  scope: Scope,
  { figure, phase }: ExpectationForm,
  phases: readonly string[],
  path: Path,
): void {
  if (phase === undefined) return;
  if (!FIGURES_OF_PHASES.includes(figure)) {
    const known = listOf(FIGURES_OF_PHASES);
    scope.reportKey(path, `"${figure}" is not of a phase; figures that are: ${known}`);
  } else if (!phases.includes(phase)) {
    scope.report(path, `no phase "${phase}"; phases: ${listOf(phases)}`);
  }
}

function lowerExpectation({ figure, phase, min, max }: ExpectationForm): Expectation {
  const byDefault = figure === 'phaseSeconds' ? 'main' : null;
  return { figure, phase: phase ?? byDefault, min: min ?? null, max: max ?? null };
}

function holds(scope: Scope, name: string, written: Written, path: Path): boolean {
  const binding = scope.bindings.get(name);
  if (binding) return scope.value(binding.kind, written, path) === binding.value;
  scope.reportKey(
    path,
    `no parameter "${name}"; parameters: ${listOf([...scope.bindings.keys()])}`,
  );
  return false;
}
