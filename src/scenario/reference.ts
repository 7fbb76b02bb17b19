/**
 * What may stand for a value: a parameter, `$size`, or one that is scaled by a parameter,
 * `55TiB / $scale`, `$size * $share`. There is one operator, and no more arithmetic than that.
 */
import { UserError } from '#base/user-error';
import type { Written } from './setting.ts';

/** Names of parameters and regions. */
export const NAME_PATTERN = '[a-z][A-Za-z0-9-]*';

/** Regular expression source of a reference to a parameter. */
export const REFERENCE_PATTERN = String.raw`\$${NAME_PATTERN}`;

/** A value and what scales it. */
export interface Scaled {
  readonly text: string;
  /** As written: a literal or `$name`. */
  readonly value: string;
  readonly operator: '*' | '/';
  /** Name of a parameter. */
  readonly factor: string;
}

/** The parameter that a written value refers to, or null. */
export function parameterOf(written: Written): string | null {
  return typeof written === 'string' && written.startsWith('$') ? written.slice(1) : null;
}

/** Regular expression source of scaled values; `literal` is that of a value. */
export function scaledPattern(literal: string): string {
  return `(${REFERENCE_PATTERN}|${literal}) *[*/] *${REFERENCE_PATTERN}`;
}

/** The parts of a scaled value, or null; throws a `UserError` that says how to write one. */
export function scaledOf(written: Written): Scaled | null {
  const text = String(written);
  const [, value, operator, right] = /^(.*?) *([*/]) *(.*)$/.exec(text) ?? [];
  if (value === undefined) return null;
  const [, factor] = FACTOR.exec(right!) ?? [];
  if (factor === undefined) {
    throw new UserError(`"${text}" is not VALUE / $name or VALUE * $name, $name a parameter`);
  }
  return { text, value, operator: operator === '*' ? '*' : '/', factor };
}

const FACTOR = new RegExp(String.raw`^\$(${NAME_PATTERN})$`);

/**
 * `value` times or divided by `factor` wholes or (a percentage) hundredths, rounded up. Null where
 * the result would not be exact, which needs a dividend of 2^53 or more.
 */
export function scale(
  value: number,
  operator: Scaled['operator'],
  factor: number,
  isPercent: boolean,
): number | null {
  const wholes = isPercent ? 100 : 1;
  const dividend = value * (operator === '*' ? factor : wholes);
  const divisor = operator === '*' ? wholes : factor;
  if (!Number.isSafeInteger(dividend)) return null;
  return Math.ceil(dividend / divisor);
}
