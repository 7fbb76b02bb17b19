/**
 * The rows in which an execution is recorded: by the stepper, and beside the arena where threads
 * take the same steps again.
 */

/**
 * A step: the CPU, the kind of passage, the word, what it held before the step, and what it held
 * when the same CPU came to its next passage (before which nobody else runs).
 */
export const STEP = { cpu: 0, op: 1, at: 2, found: 3, left: 4 } as const;
export const STEP_WORDS = 5;

/** A choice: by which CPU, of how many alternatives, which, and how many steps stood before it. */
export const CHOICE = { cpu: 0, alternatives: 1, chosen: 2, steps: 3 } as const;
export const CHOICE_WORDS = 4;
