/**
 * A broken version: what is changed so that a known race comes back, and where it must be caught.
 *
 * Most change one labelled line of the living source: a line that matters ends in a comment
 * `// @label`, and the edit says what that line becomes. The source stays clean, the hot path pays
 * nothing, and a label that matches other than exactly once is an error. Where a protocol can be
 * had as it was posted, its option is the flaw, and no line changes.
 */
import type { LineEdit } from '#derive/apply-edit';

export interface BrokenVersion {
  /** Name on the command line (`--broken NAME`). */
  readonly name: string;
  /** Number in our catalogue of known races (`K-30`), or `control` for tests of our own judges. */
  readonly bug: string;
  /** One sentence: what is wrong. */
  readonly summary: string;
  /** Where the race was described first. */
  readonly source: string;
  /** Label of the line, without `@`, and what it becomes (JavaScript; empty: it is deleted). */
  readonly edit?: { readonly label: string; readonly becomes: string };
  /** Settings that are the flaw: without them (and the edit) everything is as it should be. */
  readonly flaw?: Settings;
  /** Settings under which the flaw shows; without the flaw they do no harm. */
  readonly conditions?: Settings;
  /** Where it shows, and the oracle that must fire. */
  readonly protocol: string;
  readonly scenario: string;
  readonly oracle: string;
  /** Another oracle that may see it before the one above, and why. */
  readonly before?: { readonly oracle: string; readonly why: string };
  /** Random delays at racing accesses, 0 to 100, with which free runs meet it sooner. */
  readonly noise?: number;
  /** Why free-running threads do not meet it within two minutes, where they do not. */
  readonly rare?: string;
}

/**
 * Flags and parameters as a replay word has them: `-walkers` is a flag, `size` a parameter of the
 * scenario, `pt-reclaim.reverify` an option of the protocol.
 */
export type Settings = Readonly<Record<string, string>>;

/** Versions of this bug test our own judges, and belong to no race of the field. */
export const CONTROL = 'control';

/** The edit of the source; null where a setting is the flaw. */
export function lineEditOf({ name, edit }: BrokenVersion): LineEdit | null {
  return edit === undefined ? null : { name, ...edit };
}
