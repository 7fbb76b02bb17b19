/**
 * The broken versions. Each is a named edit of one labelled line of the living source: a line that
 * matters ends in a comment `// @label`, and the edit says what that line becomes. The source stays
 * clean, the hot path pays nothing, and a label that matches other than exactly once is a build error.
 */

export interface Edit {
  /** Name on the command line (`--broken NAME`). */
  readonly name: string;
  /** The catalogue's bug id (`K-30`), or `control` for edits that only test our own judges. */
  readonly bug: string;
  /** One sentence: what is wrong. */
  readonly summary: string;
  /** Where the race was described first. */
  readonly source: string;
  /** Label of the line, without `@`. */
  readonly label: string;
  /** What the line becomes (JavaScript; may be empty to delete the line). */
  readonly becomes: string;
  /** Protocol and scenario that show it, and the oracle that must fire. */
  readonly protocol: string;
  readonly scenario: string;
  readonly oracle: string;
  /** Extra `-p` parameters and run options for the scenario. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export const EDITS: readonly Edit[] = [];
