/**
 * Layouts as data: a shared structure is a list of field names with their sizes in words, and its
 * offsets follow. Behaviour lives above; machine sizes the arena from these, mm uses them, oracles
 * read by them.
 */

/** Words (of 4 bytes) in a cache line of the machines we run on. */
export const LINE_WORDS = 16;

export type Offsets<F extends Record<string, number>> = { readonly [K in keyof F]: number } & {
  readonly sizeWords: number;
};

/** Offsets in words of `fields` (name: size in words), laid out in order without gaps. */
export function struct<const F extends Record<string, number>>(fields: F): Offsets<F> {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const [name, sizeWords] of Object.entries(fields)) {
    offsets[name] = at;
    at += sizeWords;
  }
  offsets['sizeWords'] = at;
  // Parsed, because an object filled key by key becomes a hash table in V8 once it is large, and
  // each offset
  // a lookup; what a parser makes keeps its shape (struct.test.ts).
  return Object.freeze(JSON.parse(JSON.stringify(offsets))) as Offsets<F>;
}

/**
 * As `struct`, but each field begins on a cache line of its own, so that writers never share one.
 */
export function linedStruct<const F extends Record<string, number>>(fields: F): Offsets<F> {
  return struct(
    Object.fromEntries(
      Object.entries(fields).map(([name, sizeWords]) => [name, roundUpToLine(sizeWords)]),
    ) as F,
  );
}

/** `sizeWords` rounded up to whole cache lines. */
export function roundUpToLine(sizeWords: number): number {
  return (sizeWords + LINE_WORDS - 1) & ~(LINE_WORDS - 1);
}
