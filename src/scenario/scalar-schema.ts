/**
 * Zod schemas of single values in a scenario file. Wherever a value is allowed, `$name` may stand
 * for it: the whole value of that parameter. Where the value is a quantity, so may `VALUE / $name`
 * and `VALUE * $name`.
 */
import { z } from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN } from '#base/units';
import { UserError } from '#base/user-error';
import { NAME_PATTERN, REFERENCE_PATTERN, scaledOf, scaledPattern } from './reference.ts';
import { type Kind, readValue, type Written } from './setting.ts';

export const nameSchema = z.string().regex(new RegExp(`^${NAME_PATTERN}$`), {
  error: (issue) => `"${issue.input}" is not a name: a lower-case letter, then letters, digits, -`,
});

/** A value of this kind, `$name` or a scaled one; `words` may stand in its place, too. */
export function scalarSchema(kind: Kind, words: readonly string[] = []): z.ZodType<Written> {
  const error = (issue: { input?: unknown }): string => complaint(kind, words, issue.input);
  const matching = (pattern: string): z.ZodString =>
    z.string({ error }).regex(new RegExp(`^(${pattern})$`), { error });
  const quantity = (literal: string): z.ZodString =>
    matching([...words, REFERENCE_PATTERN, literal, scaledPattern(literal)].join('|'));

  switch (kind.type) {
    case 'size':
      return quantity(SIZE_PATTERN);
    case 'duration':
      return quantity(DURATION_PATTERN);
    case 'choice':
      return matching([...words, REFERENCE_PATTERN, ...(kind.choices ?? [])].join('|'));
    case 'integer':
    case 'percent': {
      const min = typeof kind.min === 'number' ? kind.min : kind.type === 'percent' ? 0 : undefined;
      const max =
        typeof kind.max === 'number' ? kind.max : kind.type === 'percent' ? 100 : undefined;
      let number = z.int({ error });
      if (min !== undefined) number = number.min(min, { error });
      if (max !== undefined) number = number.max(max, { error });
      const text = [...words, REFERENCE_PATTERN, scaledPattern(String.raw`\d+`)].join('|');
      return z.union([number, matching(text)], { error });
    }
  }
}

function complaint(kind: Kind, words: readonly string[], input: unknown): string {
  if (input === undefined) return 'is missing';
  if (typeof input === 'string' || typeof input === 'number') {
    try {
      const scaled = kind.type === 'choice' ? null : scaledOf(input);
      readValue(kind, scaled?.value ?? input);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return `${error.message}${alternatives(words)}`;
    }
  }
  const wanted = kind.choices?.join(', ') ?? `${kind.type === 'integer' ? 'an' : 'a'} ${kind.type}`;
  return `expected ${wanted} or $name`;
}

function alternatives(words: readonly string[]): string {
  return words.length > 0 ? ` (or ${words.join(', ')}, or $name)` : '';
}
