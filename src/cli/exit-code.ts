/** Exit codes, and which one a result deserves. */
import type { Verdict } from '#report/verdict';

export const EXIT = {
  well: 0,
  /** A violation, or an expectation that was not met. */
  found: 1,
  /** The command was wrong. */
  wrong: 2,
  /** Internal failure, or the deadline came. */
  failed: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_OF_VERDICT: Readonly<Record<Verdict['kind'], ExitCode>> = {
  pass: EXIT.well,
  violated: EXIT.found,
  unmet: EXIT.found,
  deadline: EXIT.failed,
  interrupted: EXIT.interrupted,
};
