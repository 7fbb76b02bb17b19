/**
 * How walkers react when a table is not to be had: as the series of 2022 was posted, or as these
 * places were put right later (the lookups of Linux 6.5 can fail as well, and say what to do then).
 */

let asPosted = false;

/** Chooses the reactions; the same on every thread of a machine. */
export function configureWalkers(posted: boolean): void {
  asPosted = posted;
}

export function reactsAsPosted(): boolean {
  return asPosted;
}
