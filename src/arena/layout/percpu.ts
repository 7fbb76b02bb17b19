/**
 * The block of one CPU (or kernel thread): what it alone writes. Parts that other CPUs read often
 * stand on cache lines of their own; blocks begin on a line and end on one. The fixed part is laid
 * out here; the parts whose size depends on the geometry follow it (arena/map.ts).
 */
import { LINE_WORDS, struct } from './struct.ts';

/** Room for the numbered things of trace/vocabulary.ts, with some to spare. */
export const COUNTERS_MAX = 64;
export const RACES_MAX = 12;
export const ACTORS_MAX = 14;
export const LOCKS_MAX = 12;
export const FACTS_MAX = 32;
export const EVENTS_MAX = 1024;
export const FREE_CACHE_MAX = 64;
export const RCU_QUEUE_MAX = 4096;
export const ZAP_LOG_MAX = 1024;
export const HISTOGRAM_WORDS = 128;
/** Buckets of a histogram of nanoseconds: the last one begins at two minutes. */
export const LATENCY_WORDS = 144;
export const MCS_DEPTH_MAX = 8;
export const HELD_MAX = 8;
/** Sets of the TLB (direct mapped, as large as an x86 first-level data TLB), and of the PWC. */
export const TLB_SETS = 64;
export const PWC_SETS = 4;
/** Tables that one gather holds before it hands them to RCU. */
export const GATHER_TABLES_MAX = 500;

/** A fact: what a CPU saw; oracles form the opinion. */
export const FACT_RECORD = struct({
  kind: 1,
  actor: 1,
  operation: 1,
  a: 1,
  b: 1,
  c: 1,
  d: 1,
  e: 1,
});
/** An event of the ring. */
export const EVENT_RECORD = struct({ kind: 1, timeUs: 1, a: 1, b: 1 });
/**
 * A callback: when its grace period is over (epoch or request), queued when (us; 0: not timed), and
 * what to do to what.
 */
export const RCU_RECORD = struct({ epoch: 1, sinceUs: 1, kind: 1, word: 1 });
/**
 * A zap: range in (slot, index) pairs, half open, and the zap clock when it began and ended (0:
 * running). `logged`: whether it is one, or a MADV_FREE, whose effect may come later, or a move.
 */
export const ZAP_RECORD = struct({
  startSlot: 1,
  startIndex: 1,
  endSlot: 1,
  endIndex: 1,
  began: 1,
  ended: 1,
  logged: 1,
});
/** A duration: whole seconds, and the nanoseconds beyond them. */
export const DURATION = struct({ seconds: 1, ns: 1 });
/** Per lock class: acquisitions, how many had to wait, failed trylocks, time waited in all. */
export const LOCK_RECORD = struct({
  acquisitions: 1,
  contended: 1,
  trylockFailed: 1,
  waited: DURATION.sizeWords,
});
/** Durations: the longest, and how many fell into each bucket (ns). */
export const LATENCY_RECORD = struct({ longest: DURATION.sizeWords, buckets: LATENCY_WORDS });
/**
 * A translation: which page of the address space (0: none), the entry as the walk found it, and the
 * page frame's state word at that time.
 */
export const TLB_ENTRY = struct({ tag: 1, pte: 1, page: 1 });
/** A flush that this CPU asked for: its number, its range, and whether tables were unhooked. */
export const FLUSH_RECORD = struct({
  number: 1,
  startSlot: 1,
  startIndex: 1,
  endSlot: 1,
  endIndex: 1,
  freedTables: 1,
});
/** Paging-structure cache: one more than the slot (0: nothing), and the pmd entry found for it. */
export const PWC_ENTRY = struct({ tag: 1, pmd: 1 });
/**
 * How a CPU stands to the address space, as those see it who flush. `out`: it holds no translation
 * that it will use, and looks for flushes it has missed when it comes back; `active`; `lazy`: it
 * sleeps with the address space still loaded; `asleep`: it was active and sleeps in a wait, out of
 * the mask as with `out`.
 */
export const TLB_STATE = { out: 0, active: 1, lazy: 2, asleep: 3 } as const;
/**
 * A node of an MCS queue: its owner waits on `waiting`; `lock` is the lock it queues for (0:
 * unused).
 */
export const MCS_NODE = struct({ waiting: 1, next: 1, lock: 1, pad: LINE_WORDS - 3 });

export const PERCPU = struct({
  /** Epoch this CPU has seen (RCU); its own line, since whoever ends a grace period reads it. */
  rcuSeen: 1,
  /**
   * In the abstract form instead: the latest request after which this CPU is known to have been
   * quiescent (0: it is offline); and the latest whose grace period it knows to be over.
   */
  rcuAnswered: 1,
  rcuOver: 1,
  rcuSeenPad: LINE_WORDS - 3,
  /** Interrupts that others asked for, how many this CPU has served, and its `TLB_STATE`. */
  ipiWanted: 1,
  ipiServed: 1,
  tlbState: 1,
  /** Accesses begun and ended, where flushes are broadcast: odd, one is under way. */
  accesses: 1,
  ipiPad: LINE_WORDS - 4,
  /** Word waited for (0: none), the value that must change, and since when (ms). */
  waitAt: 1,
  waitSeen: 1,
  waitSince: 1,
  /** Slept on; never changes, so that a sleep always lasts its time. */
  alarm: 1,
  /** What the CPU is doing: actor, and serial number of its operation (its progress). */
  actor: 1,
  operation: 1,
  /** Read sections open; spinlocks held, and which, outermost first. */
  rcuNesting: 1,
  heldCount: 1,
  /** Locks of all kinds held: a bit for each class, and above them one if it is held twice. */
  heldClasses: 1,
  /** Allocations that have failed and were needed. */
  memoryShort: 1,
  /** A bit for each kind of race that was counted at all. */
  raceKinds: 1,
  /** Number of the recorded call that this CPU may come to; negative: no more waiting. */
  turn: 1,
  waitPad: LINE_WORDS - 12,
  held: HELD_MAX,
  heldPad: LINE_WORDS - HELD_MAX,
  counters: COUNTERS_MAX,
  races: RACES_MAX * ACTORS_MAX * ACTORS_MAX,
  locks: LOCKS_MAX * LOCK_RECORD.sizeWords,
  locksPad: (LINE_WORDS - ((LOCKS_MAX * LOCK_RECORD.sizeWords) % LINE_WORDS)) % LINE_WORDS,
  mcs: MCS_DEPTH_MAX * MCS_NODE.sizeWords,
  factCount: 1,
  facts: FACTS_MAX * FACT_RECORD.sizeWords,
  eventCount: 1,
  /** The clock as read last for an event, and in which operation. */
  eventTimeUs: 1,
  eventOperation: 1,
  events: EVENTS_MAX * EVENT_RECORD.sizeWords,
  tableCount: 1,
  tables: FREE_CACHE_MAX,
  bodyCount: 1,
  bodies: FREE_CACHE_MAX,
  /** Callback queue: records between tail and head, both counted without end. */
  rcuHead: 1,
  rcuTail: 1,
  rcuQueue: RCU_QUEUE_MAX * RCU_RECORD.sizeWords,
  rcuLatency: HISTOGRAM_WORDS,
  zapCount: 1,
  zapLog: ZAP_LOG_MAX * ZAP_RECORD.sizeWords,
  pageCount: 1,
  /** The gather in use (flags 1): pages and tables held. */
  gatherPages: 1,
  gatherTables: 1,
  gatherFlags: 1,
  /** What the gather must flush: [start, end), empty while both are 0, and whether tables go. */
  gatherStartSlot: 1,
  gatherStartIndex: 1,
  gatherEndSlot: 1,
  gatherEndIndex: 1,
  gatherFreedTables: 1,
  flush: FLUSH_RECORD.sizeWords,
  tlb: TLB_SETS * TLB_ENTRY.sizeWords,
  pwc: PWC_SETS * PWC_ENTRY.sizeWords,
  /** Faults until one is timed; how long faults and madvise calls took (trace/latency.ts). */
  faultsUntimed: 1,
  faultLatency: LATENCY_RECORD.sizeWords,
  madviseLatency: LATENCY_RECORD.sizeWords,
  /** For each lock class, bits of those under which this CPU has taken it; and how, first. */
  takenUnder: LOCKS_MAX,
  lockOrders: LOCKS_MAX * LOCKS_MAX,
  /** Semaphores held, and their classes, in the order in which they were taken. */
  semaphoreCount: 1,
  semaphores: HELD_MAX,
  semaphoreClasses: HELD_MAX,
});

/**
 * How a CPU first took a lock of one class under one of another: 0, never; else `seen`, what it was
 * doing, and bits of all classes that it held.
 */
export const LOCK_ORDER = { seen: 1 << 30, actorMask: 0xff, heldShift: 8 } as const;
