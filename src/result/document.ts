/**
 * What the documents have in common: how a saved one is read back, with one line that says what is
 * wrong with it, and how a schema is published.
 */
import { z } from 'zod';
import { UserError } from '#base/user-error';

/** The version of the documents that this program writes and reads. */
export const SCHEMA = 1;

/** Counts and times are never negative. Counts are whole, but a rate or a time need not be. */
export const amount = z.number().nonnegative();
export const count = z.int().nonnegative();

/** What every document says of what was run, and where. */
export const identity = {
  pttorture: z.string(),
  schema: z.literal(SCHEMA),
  command: z.string(),
  scenario: z.string(),
  broken: z.string().nullable(),
  seed: count,
  parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  machine: z.object({
    node: z.string(),
    platform: z.string(),
    cores: count,
    memoryGiB: amount,
  }),
};

/** Type `true` if the two are the same type: then a schema and its interface cannot differ. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `name` is what the person called the file, `noun` what it should hold. */
export function parseDocument<T>(
  schema: z.ZodType<T>,
  text: string,
  name: string,
  noun: string,
): T {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${name}: not JSON: ${inOneLine((error as Error).message)}`);
  }
  const kind = kindOf(document);
  if (kind !== null && kind !== noun)
    throw new UserError(`${name}: kind of document "${kind}"; expected "${noun}"`);
  const version = (document as { schema?: unknown } | null)?.schema;
  if (typeof version === 'number' && version !== SCHEMA) {
    throw new UserError(`${name}: ${noun} schema ${version}; this version reads schema ${SCHEMA}`);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const message = issue!.message.charAt(0).toLowerCase() + issue!.message.slice(1);
  const more = parsed.error.issues.length - 1;
  const others = more === 0 ? '' : ` (and ${more} more)`;
  throw new UserError(`${name}: ${pathText(issue!.path)}: ${firstLine(message)}${others}`);
}

/** As JSON Schema of the draft that editors know. */
export function documentJsonSchema(schema: z.ZodType, title: string): unknown {
  return { title, ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) };
}

/** `runs[0].vmpteKiB.peak`. */
function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the document';
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

const KINDS: readonly unknown[] = ['exploration', 'catalogue', 'validation'];

/** What is written in a document of itself; results are told by their runs. Null: nothing. */
function kindOf(document: unknown): string | null {
  const { kind, runs } = (document ?? {}) as { kind?: unknown; runs?: unknown };
  if (KINDS.includes(kind)) return kind as string;
  return Array.isArray(runs) ? 'result' : null;
}

/** What a parser quotes of a text may have line breaks. */
function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
