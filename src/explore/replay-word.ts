/**
 * A failure in one word that can be pasted into a shell or a mail:
 *
 *     pt1:litmus/fault-vs-zap:pt-reclaim:no-pmd-recheck:seed=3:1.1.1:0.23-1:4f2kx9
 *
 * format, scenario, protocol, broken version, settings, what is kept of the plan, schedule, and a
 * sum over all steps, which tells whether the replay did the same.
 */

import { STEP } from '#arena/layout/history';
import { UserError } from '#base/user-error';
import type { History } from './history.ts';
import { formatSchedule, parseSchedule, type Schedule } from './schedule.ts';
import { formatReduction, parseReduction, type Reduction } from './smaller/reduction.ts';

export interface ReplayWord {
  readonly scenario: string;
  readonly protocol: string;
  readonly broken: string | null;
  /** What the command line set: parameters by their names, `seed`, and flags with their dashes. */
  readonly settings: Readonly<Record<string, string>>;
  readonly reduction: Reduction;
  readonly schedule: Schedule;
  readonly check: string;
}

const FORMAT = 'pt1';
const EXAMPLE = `${FORMAT}:SCENARIO:PROTOCOL:BROKEN:SETTINGS:KEPT:SCHEDULE:SUM`;

/** Whether a word is meant to be one, and not the name of a file. */
export function isReplayWord(word: string): boolean {
  return word.startsWith(`${FORMAT}:`);
}

export function formatReplayWord(word: ReplayWord): string {
  const settings = Object.entries(word.settings).map((pair) => pair.map(escaped).join('='));
  return [
    ...[FORMAT, escaped(word.scenario), word.protocol, word.broken ?? '', settings.join(',')],
    ...[formatReduction(word.reduction), formatSchedule(word.schedule), word.check],
  ].join(':');
}

/** Throws a `UserError` that says what is missing. */
export function parseReplayWord(text: string): ReplayWord {
  const parts = text.split(':');
  const [format, scenario, protocol, broken, settings, kept, schedule, check] = parts;
  if (format !== FORMAT || parts.length !== 8)
    throw new UserError(`"${text}" is no replay word; expected ${EXAMPLE}`);
  return {
    scenario: decodeURIComponent(scenario!),
    protocol: protocol!,
    broken: broken === '' ? null : broken!,
    settings: Object.fromEntries(
      settings!
        .split(',')
        .filter((pair) => pair !== '')
        .map((pair) => readSetting(text, pair)),
    ),
    reduction: parseReduction(kept!),
    schedule: parseSchedule(schedule!),
    check: check!,
  };
}

/** A sum over the steps of the main phase: CPU, kind of passage and word of each, in order. */
export function checkOf(history: History): string {
  let sum = 0x811c9dc5;
  for (let step = 0; step < history.decided; step++)
    for (const field of [STEP.cpu, STEP.op, STEP.at]) {
      sum = Math.imul(sum ^ history.step(step, field), 0x01000193);
      sum ^= sum >>> 15;
    }
  return (sum >>> 0).toString(36);
}

function readSetting(text: string, pair: string): [string, string] {
  const [name, value, ...more] = pair.split('=');
  if (name === undefined || value === undefined || more.length > 0)
    throw new UserError(`"${text}" has the setting "${pair}"; expected NAME=VALUE`);
  return [decodeURIComponent(name), decodeURIComponent(value)];
}

/** Nothing that separates parts, or that a shell would take for its own. */
function escaped(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (character) => {
      return `%${character.charCodeAt(0).toString(16)}`;
    });
}
