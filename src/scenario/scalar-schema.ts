/**
 * Zod schemas of single values in a scenario file. Wherever a value is allowed, `$name` may stand
 * for it: the whole value of that parameter. There is no expression language.
 */
import { z } from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN } from '#base/units';
import { UserError } from '#base/user-error';
import { type Kind, readValue, type Written } from './setting.ts';

/** Names of parameters and regions. */
export const NAME_PATTERN = '[a-z][A-Za-z0-9-]*';

export const nameSchema = z.string().regex(new RegExp(`^${NAME_PATTERN}$`), {
  error: (issue) => `"${issue.input}" is not a name: a lower-case letter, then letters, digits, -`,
});

/** The parameter that a written value refers to, or null. */
export function parameterOf(written: Written): string | null {
  return typeof written === 'string' && written.startsWith('$') ? written.slice(1) : null;
}

/** A value of this kind or `$name`; `words` may stand in its place, too. */
export function scalarSchema(kind: Kind, words: readonly string[] = []): z.ZodType<Written> {
  const error = (issue: { input?: unknown }): string => complaint(kind, words, issue.input);
  const matching = (pattern: string): z.ZodString =>
    z.string({ error }).regex(new RegExp(`^(${pattern})$`), { error });
  const reference = String.raw`\$${NAME_PATTERN}`;

  switch (kind.type) {
    case 'size':
      return matching([...words, reference, SIZE_PATTERN].join('|'));
    case 'duration':
      return matching([...words, reference, DURATION_PATTERN].join('|'));
    case 'choice':
      return matching([...words, reference, ...(kind.choices ?? [])].join('|'));
    case 'integer':
    case 'percent': {
      const min = typeof kind.min === 'number' ? kind.min : kind.type === 'percent' ? 0 : undefined;
      const max =
        typeof kind.max === 'number' ? kind.max : kind.type === 'percent' ? 100 : undefined;
      let number = z.int({ error });
      if (min !== undefined) number = number.min(min, { error });
      if (max !== undefined) number = number.max(max, { error });
      return z.union([number, matching([...words, reference].join('|'))], { error });
    }
  }
}

function complaint(kind: Kind, words: readonly string[], input: unknown): string {
  if (input === undefined) return 'is missing';
  if (typeof input === 'string' || typeof input === 'number') {
    try {
      readValue(kind, input);
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
