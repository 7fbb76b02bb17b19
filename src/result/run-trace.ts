/**
 * The trace of a run: what each CPU did in the course of time, as far as the rings of the machine
 * still had it in the end. It is no part of the result document; `run --trace` writes it for the
 * viewers of timelines. All times are in nanoseconds since the machine was made.
 */

/** A lock; one object for each, however often it is taken. */
export interface TracedLock {
  /** Lock class, as in the result's `locks`. */
  readonly class: string;
  /** `ptl of table 12`, `mmap lock`. */
  readonly name: string;
}

/** What is at hand about an operation of a scenario. */
export interface TracedOperation {
  /** `touch write`, `madvise free`, `rendezvous`. */
  readonly act: string;
  /** Pages from the region's first, and how many; null: it is of no region. */
  readonly where: { readonly region: string; readonly page: number; readonly pages: number } | null;
}

/**
 * One record. An operation, an actor's doings and a wait nest; holds of locks and read sections do
 * not. `site` is where in the source a lock is taken.
 */
export type TraceEvent = { readonly ns: number } & (
  | { readonly kind: 'operation'; readonly operation: TracedOperation }
  | { readonly kind: 'operationEnd' }
  | { readonly kind: 'enter' | 'leave'; readonly actor: string }
  | { readonly kind: 'lockWait'; readonly lock: TracedLock; readonly site: string | null }
  | { readonly kind: 'lockWaitEnd'; readonly lock: TracedLock }
  | {
      readonly kind: 'acquired';
      readonly lock: TracedLock;
      readonly isShared: boolean;
      readonly site: string | null;
    }
  | { readonly kind: 'released'; readonly lock: TracedLock }
  /** All locks of the class that the CPU holds exclusively. */
  | { readonly kind: 'releasedAll'; readonly class: string }
  /** For something that is no lock, or as a part of waiting for one. */
  | { readonly kind: 'wait' | 'waitEnd'; readonly awaited: string }
  | { readonly kind: 'section' | 'sectionEnd' }
  | {
      readonly kind: 'race';
      readonly race: string;
      readonly noticedBy: string;
      readonly causedBy: string;
    }
  | { readonly kind: 'fact'; readonly fact: string }
  /** `event`: hook, unhook, defer, free. `slot`: where it was hooked; null: that is not told. */
  | {
      readonly kind: 'table';
      readonly event: string;
      readonly table: number;
      readonly slot: number | null;
    }
);

/** Part of the ring of the grace periods: one that ends with `epoch` is asked for, or over. */
export interface GraceEvent {
  readonly ns: number;
  readonly kind: 'wanted' | 'over';
  readonly epoch: number;
}

/** What is left of a ring. */
export interface Recorded<Event> {
  /** In order of time. */
  readonly events: readonly Event[];
  /** Older ones that are gone, and the time since which none is missing. */
  readonly dropped: number;
  readonly sinceNs: number;
}

export interface TraceTrack extends Recorded<TraceEvent> {
  /** `CPU 0`, `scanner thread`. */
  readonly name: string;
}

export interface TraceSample {
  readonly ns: number;
  readonly vmpteKiB: number;
  readonly rssKiB: number;
  /** RCU callbacks that have not run. */
  readonly rcuBacklog: number;
}

export interface TracedPhase {
  /** `setup`, `main`, `fair`, `exit`. */
  readonly name: string;
  readonly beganNs: number;
  readonly endedNs: number;
}

export interface RunTrace {
  readonly protocol: string;
  /** Records that each ring holds. */
  readonly eventsMax: number;
  /** When recording ended: with the main phase. */
  readonly endNs: number;
  /** Those that began, in order. */
  readonly phases: readonly TracedPhase[];
  /** One of each CPU, then of each kernel thread. */
  readonly tracks: readonly TraceTrack[];
  readonly gracePeriods: Recorded<GraceEvent>;
  readonly samples: readonly TraceSample[];
  /** What the judges said in the end. */
  readonly violations: readonly { readonly kind: string; readonly message: string }[];
}
