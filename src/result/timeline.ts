/**
 * What each CPU did in the course of time: looked at now and then over the whole main phase, and
 * its latest operations one by one.
 */

/** A moment: `act` and `actor` are places in the timeline's lists; -1: none was noted so far. */
export interface TimelineSample {
  /** Milliseconds since the main phase began. */
  ms: number;
  /** Of each CPU: the operation that it noted last, and who it acts as. */
  act: number[];
  actor: number[];
  /** 0: it runs; 1: it waits for a word to change; 2: it has ended and waits for the others. */
  waits: number[];
}

/** The latest operations of one CPU or kernel thread. */
export interface LatestActs {
  cpu: number;
  /** `cpu`, or what kind of kernel thread it is. */
  role: string;
  /**
   * Act, and microseconds from the beginning of the window to its begin and end. It ends where the
   * next one begins; null: it is the last, or of a kernel thread, which sleeps in between.
   */
  operations: [act: number, beganUs: number, endedUs: number | null][];
  /** What happened to tables: kind of event, microseconds as of its operation, and the table. */
  tables: [event: number, us: number, table: number][];
}

/** A stretch of time of which it is known what every CPU did. */
export interface LatestWindow {
  /** When it ended, in milliseconds since the main phase began; and its length. */
  endMs: number;
  us: number;
  columns: LatestActs[];
}

export interface Timeline {
  /** Operations as in `touch write`; actors as in the race matrix; `hook`, `unhook`, `free`. */
  acts: string[];
  actors: string[];
  events: string[];
  samples: TimelineSample[];
  /** As the main phase's end was seen last; null: it was over before it was seen. */
  latest: LatestWindow | null;
}
