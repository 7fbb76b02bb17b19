/**
 * Settings: the named values a person may change. A scenario declares parameters, a protocol
 * declares options; both are read from text in the same way and complain in the same words. Inside
 * the program a size is a number of pages and a duration a number of milliseconds.
 */
import { formatDuration, formatSize, PAGE_SIZE_BYTES, parseDuration, parseSize } from '#base/units';
import { UserError } from '#base/user-error';

export const SETTING_TYPES = ['size', 'duration', 'integer', 'percent', 'choice'] as const;
export type SettingType = (typeof SETTING_TYPES)[number];

/** A value as written: `50GiB`, `10s`, 12, `mcs`. */
export type Written = string | number;

/** A value as used: pages, milliseconds, a whole number, or one of the choices. */
export type Value = number | string;

/** What values are allowed. Limits are written as the value itself is. */
export interface Kind {
  readonly type: SettingType;
  readonly min?: Written | undefined;
  readonly max?: Written | undefined;
  readonly choices?: readonly string[] | undefined;
}

/** A parameter of a scenario or an option of a protocol. */
export interface Setting extends Kind {
  readonly default: Written;
  readonly summary: string;
}

/** The value of `written`, within the limits; throws a `UserError` that says what is allowed. */
export function readValue(kind: Kind, written: Written): Value {
  const value = readUnlimited(kind, written);
  if (typeof value === 'number') checkLimits(kind, value, written);
  return value;
}

/** Like `readValue` for kinds other than `choice`. */
export function readNumber(kind: Kind, written: Written): number {
  return readValue(kind, written) as number;
}

/** A value as a person would write it. */
export function showValue(kind: Kind, value: Value): Written {
  if (typeof value === 'string') return value;
  if (kind.type === 'size') return formatSize(value * PAGE_SIZE_BYTES);
  return kind.type === 'duration' ? formatDuration(value) : value;
}

/** Reads, and puts `prefix` before what a `UserError` has to say. */
export function withPrefix<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${prefix}${error.message}`);
    throw error;
  }
}

/** Throws a `UserError` when `value` is outside the limits of `kind`. */
export function checkLimits(kind: Kind, value: number, written: Written): void {
  const min = kind.min ?? (kind.type === 'percent' ? 0 : undefined);
  const max = kind.max ?? (kind.type === 'percent' ? 100 : undefined);
  const tooSmall = min !== undefined && value < (readUnlimited(kind, min) as number);
  const tooLarge = max !== undefined && value > (readUnlimited(kind, max) as number);
  if (!tooSmall && !tooLarge) return;
  const allowed =
    max === undefined
      ? `at least ${min}`
      : min === undefined
        ? `at most ${max}`
        : `${min} to ${max}`;
  throw new UserError(`${kind.type} "${written}" is out of range; allowed: ${allowed}`);
}

function readUnlimited(kind: Kind, written: Written): Value {
  const text = String(written);
  switch (kind.type) {
    case 'size':
      return readPages(text);
    case 'duration':
      return parseDuration(text);
    case 'integer':
    case 'percent':
      if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
      throw new UserError(`"${text}" is not a whole number${example(kind)}`);
    case 'choice':
      if (kind.choices?.includes(text)) return text;
      throw new UserError(`"${text}" is not allowed; choose one of ${kind.choices?.join(', ')}`);
  }
}

function readPages(text: string): number {
  const bytes = parseSize(text);
  if (bytes % PAGE_SIZE_BYTES === 0) return bytes / PAGE_SIZE_BYTES;
  throw new UserError(
    `size "${text}" is not a whole number of ${formatSize(PAGE_SIZE_BYTES)} pages`,
  );
}

function example(kind: Kind): string {
  if (kind.type === 'percent') return ' of percent; write e.g. 95';
  return kind.min === undefined ? '' : `; write e.g. ${kind.min}`;
}
