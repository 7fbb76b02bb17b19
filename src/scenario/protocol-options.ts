/**
 * Options of the protocol that a plan runs: its defaults, overridden by the scenario's `protocols`
 * section, overridden by `-p PROTOCOL.OPTION=VALUE`. What is said about other protocols is checked
 * all the same, so that one command line serves a comparison.
 */
import { UserError } from '#base/user-error';
import type { Plan } from './plan.ts';
import type { ScenarioFile } from './schema.ts';
import { listOf, type Scope } from './scope.ts';
import { readValue, type Setting, type Value, withPrefix } from './setting.ts';

/** The protocols there are, and what can be set about each. */
export type ProtocolOptions = Readonly<Record<string, Readonly<Record<string, Setting>>>>;

interface Asked {
  readonly protocol: string;
  readonly protocolOptions: ProtocolOptions;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * By option, with the unit in the name: `delay` (a duration) as `delayMs`, `size` as `sizePages`.
 */
export function readOptions(scope: Scope, file: ScenarioFile, asked: Asked): Plan['options'] {
  const table = asked.protocolOptions;
  const settings = table[asked.protocol];
  if (!Object.hasOwn(table, asked.protocol) || !settings) {
    throw new UserError(`no protocol "${asked.protocol}"; protocols: ${protocolsOf(table)}`);
  }
  const values = new Map<string, Value>();
  for (const [option, setting] of Object.entries(settings)) {
    values.set(option, readValue(setting, setting.default));
  }
  const fromFile = optionsOfFile(scope, file, table);
  const fromFlags = optionsOfFlags(asked);
  for (const { protocol, option, value } of [...fromFile, ...fromFlags]) {
    if (protocol === asked.protocol) values.set(option, value);
  }
  const named = [...values].map(([option, value]) => [planName(option, settings[option]!), value]);
  return Object.fromEntries(named);
}

interface Chosen {
  readonly protocol: string;
  readonly option: string;
  readonly value: Value;
}

function optionsOfFile(scope: Scope, file: ScenarioFile, table: ProtocolOptions): Chosen[] {
  const chosen: Chosen[] = [];
  for (const [protocol, options] of Object.entries(file.protocols ?? {})) {
    const path = ['protocols', protocol];
    const settings = table[protocol];
    if (!settings) {
      scope.reportKey(path, `no such protocol; protocols: ${protocolsOf(table)}`);
      continue;
    }
    for (const [option, written] of Object.entries(options)) {
      const setting = settings[option];
      if (setting) {
        const value = scope.value(setting, written, [...path, option]);
        chosen.push({ protocol, option, value });
      } else {
        const known = listOf(Object.keys(settings));
        scope.reportKey([...path, option], `no such option; options of ${protocol}: ${known}`);
      }
    }
  }
  return chosen;
}

function optionsOfFlags(asked: Asked): Chosen[] {
  const dotted = Object.entries(asked.parameters).filter(([name]) => name.includes('.'));
  return dotted.map(([name, written]) => {
    const dot = name.indexOf('.');
    const protocol = name.slice(0, dot);
    const option = name.slice(dot + 1);
    const settings = asked.protocolOptions[protocol];
    if (!settings) {
      const known = protocolsOf(asked.protocolOptions);
      throw new UserError(`-p ${name}: no protocol "${protocol}"; protocols: ${known}`);
    }
    const setting = settings[option];
    if (!setting) {
      const known = listOf(Object.keys(settings));
      throw new UserError(`-p ${name}: no such option; options of ${protocol}: ${known}`);
    }
    const value = withPrefix(`-p ${name}: `, () => readValue(setting, written));
    return { protocol, option, value };
  });
}

function protocolsOf(table: ProtocolOptions): string {
  return listOf(Object.keys(table));
}

function planName(option: string, setting: Setting): string {
  if (setting.type === 'duration') return `${option}Ms`;
  return setting.type === 'size' ? `${option}Pages` : option;
}
