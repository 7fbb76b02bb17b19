/**
 * Validation in our own words: the schema's issues as problems with a path, each saying what is
 * allowed there. Of a union, the branch that has the right shape speaks.
 */
import { z } from 'zod';
import type { Path, Problem } from './document.ts';

export type Validated<T> = { readonly value: T } | { readonly problems: readonly Problem[] };

export function validate<T>(schema: z.ZodType<T>, input: unknown): Validated<T> {
  const result = schema.safeParse(input, { error: sayWhatIsAllowed });
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, [])) };
}

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

function problemsOf(issue: Issue, prefix: Path): Problem[] {
  const path = [...prefix, ...issue.path.map((key) => (typeof key === 'symbol' ? '' : key))];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: issue.message,
      atKey: true,
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? issue.message, atKey: true }];
  }
  if (issue.code === 'invalid_union') {
    const rightShape = issue.errors.find((branch) => !branch.some(isAboutShape));
    if (rightShape) return rightShape.flatMap((inner) => problemsOf(inner, path));
  }
  return [{ path, message: issue.message }];
}

/** The value as a whole is of another type, so this branch of a union was not meant. */
function isAboutShape(issue: Issue): boolean {
  const whole = issue.code === 'invalid_type' || issue.code === 'invalid_value';
  return issue.path.length === 0 && (whole || issue.code === 'invalid_format');
}

function sayWhatIsAllowed(issue: RawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing';
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown key; allowed: ${keysOf(issue.inst).join(', ')}`;
    case 'invalid_type':
      return `expected ${nounOf(issue.expected)}, found ${describe(issue.input)}`;
    case 'invalid_value':
      return `${describe(issue.input)} is not allowed; choose one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${issue.origin === 'array' ? ' long' : ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_union':
      return `expected ${shapesOf(issue)}, found ${describe(issue.input)}`;
    default:
      return undefined;
  }
}

function keysOf(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function shapesOf(issue: RawIssue & { code: 'invalid_union' }): string {
  const nouns = issue.errors.flat().flatMap((inner) => {
    if (inner.path.length > 0) return [];
    if (inner.code === 'invalid_type') return [nounOf(inner.expected)];
    return inner.code === 'invalid_value' ? inner.values.map((value) => `"${String(value)}"`) : [];
  });
  return [...new Set(nouns)].join(' or ');
}

function nounOf(type: string): string {
  const nouns: Record<string, string> = {
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
  };
  return nouns[type] ?? type;
}

/** Characters of what was found that an error repeats. */
const FOUND_MAX = 40;

function describe(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (input === null) return 'nothing';
  if (typeof input === 'object') return 'a mapping';
  const text = String(input);
  return text.length <= FOUND_MAX ? `"${text}"` : `"${text.slice(0, FOUND_MAX)}..."`;
}
