/** Values of flags, read from text; each complaint names the flag and says what is allowed. */
import { parseDuration } from '#base/units';
import { UserError } from '#base/user-error';
import type { LockAlgorithm, SpinClass } from '#scenario/plan';
import { choose } from './choices.ts';

export const SPIN_CLASSES: readonly SpinClass[] = ['ptl', 'pml', 'page-table', 'zone'];
export const LOCK_ALGORITHMS: readonly LockAlgorithm[] = ['ttas', 'ticket', 'mcs'];

/** A reader of whole numbers from `min` to `max` (or without end). */
export function integerFlag(flag: string, min: number, max?: number): (text: string) => number {
  const range = max === undefined ? `${min} or more` : `${min} to ${max}`;
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) {
      throw new UserError(`${flag} "${text}" is not a whole number; allowed: ${range}`);
    }
    if (value < min || (max !== undefined && value > max)) {
      throw new UserError(`${flag} ${text} is out of range; allowed: ${range}`);
    }
    return value;
  };
}

/** A reader of durations, in milliseconds. */
export function durationFlag(flag: string): (text: string) => number {
  return (text) => {
    const ms = naming(flag, () => parseDuration(text));
    if (ms > 0) return ms;
    throw new UserError(`${flag} ${text} is out of range; allowed: 1ms or more`);
  };
}

/** Collects `key=value`, given once or several times. */
export function settingFlag(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`-p "${text}" is not NAME=VALUE; write e.g. -p size=1GiB`);
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new UserError(`-p ${name} is given twice`);
  return { ...before, [name]: text.slice(at + 1) };
}

export type LockChoices = Partial<Record<SpinClass, LockAlgorithm>>;

/** Collects `ptl=mcs,pml=ticket`. */
export function lockFlag(text: string, before: LockChoices = {}): LockChoices {
  const chosen = { ...before };
  for (const part of text.split(',')) {
    const [lockClass, algorithm, ...rest] = part.split('=');
    if (algorithm === undefined || rest.length > 0) {
      throw new UserError(`--lock "${part}" is not CLASS=ALGORITHM; write e.g. --lock ptl=mcs`);
    }
    const spinClass = choose('lock class', lockClass, SPIN_CLASSES);
    chosen[spinClass] = choose('lock algorithm', algorithm, LOCK_ALGORITHMS);
  }
  return chosen;
}

/** Puts the flag's name before a complaint about its value. */
function naming<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${flag}: ${error.message}`);
    throw error;
  }
}
