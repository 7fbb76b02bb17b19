/** What is read of an address space between two operations, on the live kernel or simulated. */

/** All figures are of the plan's own memory. */
export interface Reading {
  /** Page tables of all levels, in KiB, as Linux counts VmPTE. */
  vmpteKiB: number;
  rssKiB: number;
  /** Pages whose access was refused (SIGSEGV in a program) since the plan began. */
  refused: number;
  /** Of each watched span: the pages that are present, e.g. `0-511 600`, counted from its first. */
  present: string[];
}

/** Runs of pages as a reading writes them; `present` says so of page `i`. */
export function showPresent(pages: number, present: (i: number) => boolean): string {
  const runs: string[] = [];
  for (let i = 0; i < pages; i++) {
    if (!present(i)) continue;
    const first = i;
    while (i + 1 < pages && present(i + 1)) i++;
    runs.push(first === i ? `${first}` : `${first}-${i}`);
  }
  return runs.join(' ');
}

export function isSameReading(a: Reading, b: Reading): boolean {
  return (
    a.vmpteKiB === b.vmpteKiB &&
    a.rssKiB === b.rssKiB &&
    a.refused === b.refused &&
    a.present.every((runs, i) => runs === b.present[i])
  );
}
