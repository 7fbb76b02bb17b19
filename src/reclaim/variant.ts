/**
 * A protocol as it was posted, or with its flaws put right. `variant` chooses for all of a
 * protocol's flaws at once; an option that is set to anything else than `by-variant` decides for
 * itself.
 */
export type Options = Readonly<Record<string, number | string | boolean>>;

export const VARIANTS = ['fixed', 'as-posted'] as const;
export const BY_VARIANT = 'by-variant';

/** Value of option `name`: its own, or `fixed` or `posted` as the variant has it. */
export function byVariant(options: Options, name: string, fixed: string, posted: string): string {
  const value = String(options[name] ?? BY_VARIANT);
  if (value !== BY_VARIANT) return value;
  return options['variant'] === 'as-posted' ? posted : fixed;
}
