/** A scenario: one question in a YAML file, checked as far as it can be without knowing the run. */
import { UserError } from '#base/user-error';
import { assignColumns, highestCpu } from './columns.ts';
import { parseSource, type SourceDocument, type SourceText } from './document.ts';
import { lowerFile } from './lower-file.ts';
import { type ScenarioFile, scenarioFileSchema } from './schema.ts';
import { type Binding, Scope } from './scope.ts';
import { readValue, type Setting, showValue, type Written } from './setting.ts';
import { validate } from './validate.ts';

/** Folders that belong to the names of the scenarios in them. */
const SHELVES: ReadonlySet<string> = new Set(['litmus', 'races', 'traces']);

export interface Scenario {
  /** The file's name without ending, and without folders but for those of `SHELVES`. */
  readonly name: string;
  readonly file: ScenarioFile;
  readonly document: SourceDocument;
}

/** What `-p` may set, for people to choose from. */
export interface ParameterSummary {
  readonly name: string;
  readonly default: Written;
  readonly choices?: readonly string[];
  readonly summary: string;
}

/** What `pttorture list scenarios` tells. */
export interface ScenarioSummary {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly parameters: readonly ParameterSummary[];
  /** The protocol that it is about, where it is about one. */
  readonly protocol?: string;
}

/** Throws a `UserError`, one line `file:line:column: path: what is allowed` per problem. */
export function parseScenario(source: SourceText): Scenario {
  const document = parseSource(source);
  const validated = validate(scenarioFileSchema, document.value);
  if ('problems' in validated) throw document.complain(validated.problems);
  const file = validated.value;

  const declarations = new Scope(new Map(), []);
  const bindings = bindDefaults(declarations, file);
  if (declarations.problems.length > 0) throw document.complain(declarations.problems);

  const scope = new Scope(bindings, Object.keys(file.regions ?? {}));
  const lowered = lowerFile(scope, file);
  const cpus = Math.max(lowered.machine.cpus, highestCpu(lowered.columns) + 1);
  assignColumns(scope, lowered.columns, cpus);
  if (scope.problems.length > 0) throw document.complain(scope.problems);
  return { name: nameOf(source.path), file, document };
}

export function scenarioSummary(scenario: Scenario): ScenarioSummary {
  const parameters = Object.entries(scenario.file.parameters ?? {});
  return {
    name: scenario.name,
    summary: oneLine(scenario.file.question),
    source: oneLine(scenario.file.source),
    ...(scenario.file.protocol === undefined ? {} : { protocol: scenario.file.protocol }),
    parameters: parameters.map(([name, setting]) => ({
      name,
      default: setting.default,
      ...(setting.choices === undefined ? {} : { choices: setting.choices }),
      summary: setting.summary,
    })),
  };
}

/** The parameters at their defaults; a declaration that contradicts itself is a problem. */
function bindDefaults(scope: Scope, file: ScenarioFile): Map<string, Binding> {
  const bindings = new Map<string, Binding>();
  for (const [name, setting] of Object.entries(file.parameters ?? {})) {
    const path = ['parameters', name];
    const attempt = (key: 'min' | 'max' | 'default', read: () => Binding | void): void => {
      try {
        const binding = read();
        if (binding) bindings.set(name, binding);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        scope.report([...path, key], error.message);
      }
    };
    const isChoice = setting.type === 'choice';
    if (isChoice !== (setting.choices !== undefined)) {
      scope.report(path, `"choices" belongs to parameters of type choice, and only to them`);
    }
    for (const key of ['min', 'max'] as const) {
      const limit = setting[key];
      if (limit === undefined) continue;
      if (isChoice) scope.reportKey([...path, key], 'a choice has no limits');
      else attempt(key, () => void readValue({ type: setting.type }, limit));
    }
    if (scope.problems.length > 0) continue;
    attempt('default', () => bind(setting, setting.default));
  }
  return bindings;
}

/** A setting at the value `written`; throws a `UserError` that says what is allowed. */
export function bind(setting: Setting, written: Written): Binding {
  return { kind: setting, value: readValue(setting, written) };
}

/** The values of parameters as a person would write them. */
export function showBindings(bindings: ReadonlyMap<string, Binding>): Record<string, Written> {
  const shown = [...bindings].map(([name, { kind, value }]) => [name, showValue(kind, value)]);
  return Object.fromEntries(shown);
}

function nameOf(path: string): string {
  const parts = path.replace(/\.ya?ml$/, '').split(/[\\/]/);
  return parts.slice(SHELVES.has(parts.at(-2) ?? '') ? -2 : -1).join('/');
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
