/**
 * A percpu_ref: the shared words of one reference count. Beside these each CPU has one local word
 * for each ref, in an array of its own, so that CPUs do not share cache lines.
 *
 *     count       percpu mode: the bias and what is not in the locals; atomic mode: the value
 *     mode        a value of `REF_MODE`
 *     confirm     while a switch to atomic mode is pending: the end of its grace period as
 *                 sync/rcu.ts names it, then `finishing`; otherwise `none`
 *     switchLock  serialises the switches of this ref, where they do not share one lock
 */
import { struct } from './struct.ts';

export const REF = struct({ count: 1, mode: 1, confirm: 1, switchLock: 1 });
/** `REF.sizeWords` is `1 << REF_SHIFT`. */
export const REF_SHIFT = 2;

/** The top bit: keeps the count from being found zero while it is not the whole value. */
export const REF_BIAS = 1 << 31;

/**
 * Values of `REF.mode`; bit 0: atomic. `percpuAgain`: percpu, and it was atomic before.
 * `atomicSync`: whoever asked for the switch, not who finishes it, puts the switch's reference.
 */
export const REF_MODE = { percpu: 0, atomic: 1, percpuAgain: 2, atomicSync: 3 } as const;
export const REF_ATOMIC = 1;

/** Values of `REF.confirm` that are no ends of grace periods: those begin at 2. */
export const REF_CONFIRM = { none: 0, finishing: -1 } as const;
