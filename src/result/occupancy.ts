/** Which PTE tables stood where in the address space, at several times of a run. */

/** Slots of the address space that regions occupy: neighbours, and in order of address. */
export interface OccupiedSpan {
  /** Of the region, or of the regions that share a slot. */
  name: string;
  /** The first slot by its number in the address space, and how many there are. */
  firstSlot: number;
  slots: number;
  /** How many buckets they make; the last one may stand for fewer slots than the others. */
  buckets: number;
}

export interface OccupancySample {
  /** Milliseconds since the main phase began. */
  ms: number;
  /** Of each bucket: PTE tables with an entry, without one, and unhooked but not free yet. */
  live: number[];
  empty: number[];
  unhooked: number[];
  /** Unhooked tables that are in no bucket, since nobody knows any more where they stood. */
  unplaced: number;
}

/**
 * A slot is the place of one PTE table. A bucket is `slotsPerBucket` neighbouring slots of a span;
 * the buckets of a span follow those of the span before it.
 */
export interface Occupancy {
  slotKiB: number;
  slotsPerBucket: number;
  /** 1: each slot was looked at; else one in so many, and `live` and `empty` count those. */
  slotStep: number;
  spans: OccupiedSpan[];
  samples: OccupancySample[];
}
