/**
 * The scope in which a scenario file is read: the values of its parameters, its regions by name,
 * and the problems found so far. Reading goes on after a problem, so that one look at the file
 * shows all.
 */
import { UserError } from '#base/user-error';
import type { Path, Problem } from './document.ts';
import { parameterOf, type Scaled, scale, scaledOf } from './reference.ts';
import {
  checkLimits,
  type Kind,
  readValue,
  type SettingType,
  showValue,
  type Value,
  type Written,
} from './setting.ts';

/** A parameter with the value it has in this run. */
export interface Binding {
  readonly kind: Kind;
  readonly value: Value;
}

/** A kind whose values are of type `T`. */
export interface Choices<T extends string> extends Kind {
  readonly choices: readonly T[];
}

export class Scope {
  readonly problems: Problem[] = [];
  readonly bindings: ReadonlyMap<string, Binding>;
  /** Names of the regions, in order. */
  private readonly regions: readonly string[];

  constructor(bindings: ReadonlyMap<string, Binding>, regions: readonly string[]) {
    this.bindings = bindings;
    this.regions = regions;
  }

  report(path: Path, message: string): void {
    this.problems.push({ path, message });
  }

  reportKey(path: Path, message: string): void {
    this.problems.push({ path, message, atKey: true });
  }

  /** The index of the region called `name`. */
  region(name: string, path: Path): number {
    const index = this.regions.indexOf(name);
    if (index < 0) {
      this.report(path, `no region "${name}"; regions: ${listOf(this.regions)}`);
    }
    return Math.max(index, 0);
  }

  /** The number that `written`, or the parameter it names, stands for. */
  number(kind: Kind, written: Written, path: Path): number {
    const value = this.value(kind, written, path);
    return typeof value === 'number' ? value : 1;
  }

  /** The choice that `written`, or the parameter it names, stands for. */
  choice<T extends string>(kind: Choices<T>, written: Written, path: Path): T {
    const value = this.value(kind, written, path);
    return kind.choices.find((choice) => choice === value) ?? kind.choices[0]!;
  }

  /** The value that `written`, or the parameter it names, stands for; 1 after a problem. */
  value(kind: Kind, written: Written, path: Path): Value {
    try {
      const scaled = kind.type === 'choice' ? null : scaledOf(written);
      if (scaled) return this.scaled(kind, scaled);
      const name = parameterOf(written);
      return name === null ? readValue(kind, written) : this.valueOf(name, kind);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.report(path, error.message);
      return 1;
    }
  }

  private scaled(wanted: Kind, { text, value, operator, factor }: Scaled): number {
    const name = parameterOf(value);
    // Limits are those of the result.
    const unscaled =
      name === null
        ? readValue({ type: wanted.type }, value)
        : this.parameter(name, wanted.type).value;
    const { kind, value: by } = this.parameter(factor);
    const isPercent = kind.type === 'percent';
    if (typeof by !== 'number' || (kind.type !== 'integer' && !isPercent)) {
      throw new UserError(`"$${factor}" is of type ${kind.type}; a factor is integer or percent`);
    }
    if (operator === '/' && by < 1) {
      throw new UserError(`"${text}": "$${factor}" is ${by}; a divisor is at least 1`);
    }
    const result = scale(unscaled as number, operator, by, isPercent);
    if (result === null) throw new UserError(`"${text}" is too large to be exact`);
    checkLimits(wanted, result, `${text} = ${showValue(wanted, result)}`);
    return result;
  }

  private valueOf(name: string, wanted: Kind): Value {
    const { kind, value } = this.parameter(name, wanted.type);
    if (typeof value === 'number') {
      checkLimits(wanted, value, showValue(kind, value));
    } else {
      const foreign = kind.choices?.find((choice) => !wanted.choices?.includes(choice));
      if (foreign !== undefined) {
        const allowed = listOf(wanted.choices ?? []);
        throw new UserError(`"$${name}" may be ${foreign}; allowed here: ${allowed}`);
      }
    }
    return value;
  }

  private parameter(name: string, type?: SettingType): Binding {
    const binding = this.bindings.get(name);
    if (!binding) {
      const known = listOf([...this.bindings.keys()]);
      throw new UserError(`no parameter "${name}"; parameters: ${known}`);
    }
    if (type !== undefined && binding.kind.type !== type) {
      throw new UserError(`"$${name}" is of type ${binding.kind.type}; ${type} is wanted here`);
    }
    return binding;
  }
}

/** Names in a sentence. */
export function listOf(names: readonly string[]): string {
  return names.length > 0 ? names.join(', ') : 'none';
}
