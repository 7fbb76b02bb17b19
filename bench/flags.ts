/** The flags of the programs in this folder: each takes a value, and a wrong one is one line. */
import { parseArgs } from 'node:util';
import { UserError } from '#base/user-error';

/** Positional words, and the values of the flags `names` that were given. */
export function parseFlags<const Name extends string>(
  args: string[],
  names: readonly Name[],
): { values: Partial<Record<Name, string>>; positionals: string[] } {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]));
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Partial<Record<Name, string>>, positionals };
  } catch (error) {
    const flags = names.map((name) => `--${name}`);
    throw new UserError(`${(error as Error).message.split('. ')[0]}; flags: ${flags.join(', ')}`);
  }
}
