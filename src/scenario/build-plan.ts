/**
 * From a scenario and what the run asks for to a plan. Values are looked for in this order: the
 * command line, the scenario, the defaults. `-p NAME=VALUE` sets a parameter of the scenario,
 * `-p PROTOCOL.OPTION=VALUE` an option of a protocol.
 */
import { UserError } from '#base/user-error';
import { assignColumns, checkCpus } from './columns.ts';
import type { Path } from './document.ts';
import { type Lowered, lowerFile } from './lower-file.ts';
import { outcomesUnder } from './outcomes.ts';
import type { Expectation, LockAlgorithm, Op, Plan, SpinClass } from './plan.ts';
import { type ProtocolOptions, readOptions } from './protocol-options.ts';
import { bind, type Scenario, showBindings } from './scenario.ts';
import { MACHINE_KINDS } from './schema.ts';
import { type Binding, listOf, Scope } from './scope.ts';
import { type Kind, readNumber, withPrefix } from './setting.ts';

export interface PlanRequest {
  readonly protocol: string;
  readonly protocolOptions: ProtocolOptions;
  readonly seed: number;
  readonly cpus?: number | undefined;
  /** Milliseconds; null: no limit; left out: the scenario's. */
  readonly durationMs?: number | null | undefined;
  /** Rounds of each column's outermost loops. */
  readonly ops?: number | null | undefined;
  /** Values as written after `-p`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly locks?: Partial<Readonly<Record<SpinClass, LockAlgorithm>>> | undefined;
  readonly splitLocks?: boolean | undefined;
  readonly noise?: number | undefined;
  readonly gather?: number | undefined;
  readonly gatherFallback?: Plan['gatherFallback'] | undefined;
  /** Failing allocations per million. */
  readonly allocFail?: number | undefined;
  readonly walkers?: Plan['walkerReactions'] | undefined;
  readonly pwc?: Plan['pwcFlush'] | undefined;
  readonly shootdown?: Plan['shootdown'] | undefined;
  readonly rcu?: Plan['rcu'] | undefined;
  readonly lockStat?: boolean | undefined;
  readonly traceEvents?: number | undefined;
  readonly broken?: string | null | undefined;
}

/** Throws a `UserError` when the scenario cannot run so. */
export function buildPlan(scenario: Scenario, request: PlanRequest): Plan {
  const { file, document, name } = scenario;
  const bindings = bindParameters(scenario, request);
  const scope = new Scope(bindings, Object.keys(file.regions ?? {}));
  const lowered = lowerFile(scope, file);
  const { machine, regions, setup } = lowered;
  const cpus = flag('--cpus', MACHINE_KINDS.cpus, request.cpus) ?? machine.cpus;
  checkCpus(name, lowered.columns, cpus);
  const columns = assignColumns(scope, lowered.columns, cpus);
  const options = readOptions(scope, file, request);
  const expectations = expectationsOf(scope, lowered, request);
  checkProtocols(scope, ['outcomes'], Object.keys(file.outcomes ?? {}), request);
  if (scope.problems.length > 0) throw document.complain(scope.problems);

  const opsMax = flag('--ops', ROUNDS, request.ops ?? undefined) ?? null;
  const isCutShort = opsMax !== null || typeof request.durationMs === 'number';
  // With --ops alone, the scenario's own duration does not apply.
  const durationMs =
    request.durationMs !== undefined
      ? request.durationMs
      : opsMax === null
        ? lowered.durationMs
        : null;
  if (durationMs === null && opsMax === null && columns.some((ops) => ops.some(isForever))) {
    throw new UserError(`"${name}" would go on forever; give --duration or --ops`);
  }

  return {
    ...machine,
    scenario: name,
    seed: request.seed,
    cpus,
    protocol: request.protocol,
    options,
    broken: request.broken ?? null,
    parameters: showBindings(bindings),
    locks: lockAlgorithms(request),
    splitLocks: request.splitLocks ?? true,
    rcu: request.rcu ?? 'qsbr',
    lockStat: request.lockStat ?? false,
    traceEvents: request.traceEvents ?? 0,
    noise: flag('--noise', MACHINE_KINDS.noise, request.noise) ?? machine.noise,
    gatherPages: flag('--gather', MACHINE_KINDS.gather, request.gather) ?? machine.gatherPages,
    gatherFallback: request.gatherFallback ?? machine.gatherFallback,
    allocFailPerMillion:
      flag('--alloc-fail', MACHINE_KINDS.allocfail, request.allocFail) ??
      machine.allocFailPerMillion,
    walkerReactions: request.walkers ?? machine.walkerReactions,
    pwcFlush: request.pwc ?? machine.pwcFlush,
    shootdown: request.shootdown ?? machine.shootdown,
    regions,
    setup,
    columns,
    durationMs,
    opsMax,
    // What is expected at the end says nothing about a run that was cut short.
    expectations: isCutShort ? [] : expectations,
    outcomes: outcomesUnder(file.outcomes ?? {}, request.protocol),
  };
}

const ROUNDS: Kind = { type: 'integer', min: 1 };

/** The declared parameters, each as asked for with `-p` or at its default. */
function bindParameters(scenario: Scenario, request: PlanRequest): Map<string, Binding> {
  const declared = scenario.file.parameters ?? {};
  for (const name of Object.keys(request.parameters)) {
    if (name.includes('.') || Object.hasOwn(declared, name)) continue;
    throw new UserError(
      `-p ${name}: "${scenario.name}" has no such parameter; parameters: ` +
        `${listOf(Object.keys(declared))}; options of protocols are written PROTOCOL.OPTION`,
    );
  }
  const bindings = Object.entries(declared).map(([name, setting]): [string, Binding] => {
    const given = request.parameters[name];
    if (given === undefined) return [name, bind(setting, setting.default)];
    return [name, withPrefix(`-p ${name}: `, () => bind(setting, given))];
  });
  return new Map(bindings);
}

function expectationsOf(scope: Scope, lowered: Lowered, request: PlanRequest): Expectation[] {
  checkProtocols(scope, ['expect'], lowered.expectations.keys(), request);
  return ['any', request.protocol].flatMap((protocol) => lowered.expectations.get(protocol) ?? []);
}

/** A section by protocol: each of its `keys` is one, or `any`. */
function checkProtocols(
  scope: Scope,
  section: Path,
  keys: Iterable<string>,
  request: PlanRequest,
): void {
  const protocols = ['any', ...Object.keys(request.protocolOptions)];
  for (const key of keys) {
    if (protocols.includes(key)) continue;
    scope.reportKey([...section, key], `no such protocol; protocols: ${listOf(protocols)}`);
  }
}

function isForever(op: Op): boolean {
  return (op.op === 'loop' || op.op === 'mix') && op.times === null;
}

function flag(name: string, kind: Kind, given: number | undefined): number | undefined {
  if (given === undefined) return undefined;
  return withPrefix(`${name}: `, () => readNumber(kind, given));
}

/**
 * Where locks are not split, ptl, pml and page-table are one lock, so one choice counts for all.
 */
function lockAlgorithms({ locks = {}, splitLocks }: PlanRequest): Plan['locks'] {
  const chosen = {
    ptl: 'ttas',
    pml: 'ttas',
    'page-table': 'ttas',
    zone: 'ttas',
    ...locks,
  } as const;
  if (splitLocks !== false) return chosen;
  const choices = new Set([locks.ptl, locks.pml, locks['page-table']].filter((x) => x));
  if (choices.size > 1)
    throw new UserError(
      'without split locks ptl, pml and page-table are one lock; give one algorithm to all three',
    );
  const [one = 'ttas'] = choices;
  return { ...chosen, ptl: one, pml: one, 'page-table': one };
}
