/** What the CPUs did last before a violation, as a result keeps it. */

export interface LastAct {
  /** The operation, and where it comes in forms, which of them: `touch write`, `walk gup-fast`. */
  act: string;
  /** Of a touch: 0, every page; 63, the first page of each slot; else so many at random. */
  count: number;
  /** By its number in the plan, or null; and the pages from its first; of `sleep`, milliseconds. */
  region: number | null;
  page: number;
  pages: number;
}

export interface LastActs {
  /** The protocol's options in this run. */
  options: Record<string, number | string | boolean>;
  /** Slots of the address space that facts were about, if any: numbers of PTE tables' places. */
  slots: number[];
  /** CPUs that did anything, kernel threads behind the others; the latest act is the last. */
  columns: { cpu: number; isInFlight: boolean; acts: LastAct[] }[];
}
