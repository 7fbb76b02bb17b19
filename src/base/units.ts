/**
 * Sizes and durations as people write them: `50GiB`, `2MiB`, `4KiB`; `10s`, `250ms`, `2m`, `1h`.
 * A number without a unit is a mistake, never a guess.
 */
import { UserError } from './user-error.ts';

/** One page of the modelled machine. */
export const PAGE_SIZE_BYTES = 4096;

/** Regular expression source of a size and of a duration, for published schemas. */
export const SIZE_PATTERN = String.raw`\d+(\.\d+)?(B|KiB|MiB|GiB|TiB)`;
export const DURATION_PATTERN = String.raw`\d+(\.\d+)?(ms|s|m|h)`;

/** Bytes of `50GiB`; throws a `UserError` that says how to write it. */
export function parseSize(text: string): number {
  return parse(SIZE, text);
}

/** The shortest exact way to write `bytes`: the largest unit that leaves a whole number. */
export function formatSize(bytes: number): string {
  return format(SIZE, bytes);
}

/** Milliseconds of `250ms`; throws a `UserError` that says how to write it. */
export function parseDuration(text: string): number {
  return parse(DURATION, text);
}

/** The shortest exact way to write `ms`: the largest unit that leaves a whole number. */
export function formatDuration(ms: number): string {
  return format(DURATION, ms);
}

interface Dimension {
  readonly noun: string;
  readonly pattern: RegExp;
  readonly example: string;
  /** What a value is a whole number of. */
  readonly base: string;
  /** Units with their factors, smallest first; the first is the base unit. */
  readonly units: readonly (readonly [unit: string, factor: number])[];
}

const SIZE: Dimension = {
  noun: 'size',
  pattern: new RegExp(`^${SIZE_PATTERN}$`),
  example: '50GiB',
  base: 'bytes',
  units: [
    ['B', 1],
    ['KiB', 2 ** 10],
    ['MiB', 2 ** 20],
    ['GiB', 2 ** 30],
    ['TiB', 2 ** 40],
  ],
};

const DURATION: Dimension = {
  noun: 'duration',
  pattern: new RegExp(`^${DURATION_PATTERN}$`),
  example: '10s',
  base: 'milliseconds',
  units: [
    ['ms', 1],
    ['s', 1_000],
    ['m', 60_000],
    ['h', 3_600_000],
  ],
};

function parse(dimension: Dimension, text: string): number {
  const { noun, example, base, units } = dimension;
  if (/^\d+(\.\d+)?$/.test(text)) {
    throw new UserError(`${noun} "${text}" has no unit; write e.g. ${example}`);
  }
  if (!dimension.pattern.test(text)) {
    const names = units.map(([unit]) => unit).join(', ');
    throw new UserError(
      `${noun} "${text}" is not a number with a unit (${names}); write e.g. ${example}`,
    );
  }
  const unit = text.replace(/^[\d.]+/, '');
  const factor = units.find(([name]) => name === unit)![1];
  const value = Number(text.slice(0, -unit.length)) * factor;
  if (!Number.isSafeInteger(value)) {
    throw new UserError(`${noun} "${text}" is not a whole number of ${base} below 2^53`);
  }
  return value;
}

function format(dimension: Dimension, value: number): string {
  const { units } = dimension;
  const fits = units.findLast(([, factor]) => value !== 0 && value % factor === 0) ?? units[0]!;
  return `${value / fits[1]}${fits[0]}`;
}
