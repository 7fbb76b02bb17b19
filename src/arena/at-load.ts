/**
 * The machine that a thread is about to become, as far as it is known when its code is loaded.
 *
 * A CPU's thread loads the free-running form, in which every `let NAME = ...; // constant at load`
 * is a `const` and is never assigned again (derive/free-form.ts): V8 then folds the arena's base
 * address and all places into the code. Elsewhere (tests, exploration) there is no machine at load,
 * and `bindArena` sets the same names later.
 */
import type { Geometry } from './map.ts';

/** What a plan settles that the hot path asks: as constants these questions cost nothing. */
export interface SettingsAtLoad {
  /** Bits (1 << class) of the lock classes that use these algorithms. */
  readonly ticketClasses: number;
  readonly mcsClasses: number;
  /** RCU read sections announce themselves. */
  readonly announced: boolean;
  /** RCU has no epochs. */
  readonly abstractRcu: boolean;
  readonly reschedPerMillion: number;
  readonly allocFailPerMillion: number;
  /** Bodies are on demand. */
  readonly onDemand: boolean;
  /** Flushes reach other CPUs without interrupts. */
  readonly broadcast: boolean;
}

export interface MachineAtLoad {
  readonly buffer: SharedArrayBuffer;
  readonly geometry: Geometry;
  /** Busy-wait iterations before a waiter sleeps. */
  readonly spins: number;
  /** Whether this processor's stores become visible in program order. */
  readonly totalStoreOrder: boolean;
  readonly settings: SettingsAtLoad;
}

declare global {
  /** Set by a thread's entry point before it loads the free-running form. */
  var pttortureMachine: MachineAtLoad | undefined;
}

const NO_MACHINE: MachineAtLoad = {
  buffer: new SharedArrayBuffer(1 << 16),
  geometry: {
    cpus: 0,
    ptrsShift: 1,
    levels: 2,
    tables: 0,
    bodies: 0,
    pages: 0,
    vmas: 0,
    gatherPages: 0,
    batch: 0,
    backing: 'fixed',
  },
  spins: 0,
  settings: {
    ticketClasses: 0,
    mcsClasses: 0,
    announced: false,
    abstractRcu: false,
    reschedPerMillion: 0,
    allocFailPerMillion: 0,
    onDemand: false,
    broadcast: false,
  },
  totalStoreOrder: false,
};

/** The machine at load; one of size nothing where there is none. */
export const atLoad: MachineAtLoad = globalThis.pttortureMachine ?? NO_MACHINE;
