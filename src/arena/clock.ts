/**
 * The clock, for waiting times of the free-running form only: a protocol that decided by it would
 * not be repeatable. The stepped form installs a clock that counts steps.
 */

const wall = (): number => performance.timeOrigin + performance.now();
const ofThisThread = (): number => performance.now();
let source: () => number = wall;
let fineSource: () => number = ofThisThread;

/** Replaces the time source (milliseconds, any origin); null restores the real one. */
export function setClock(next: (() => number) | null): void {
  source = next ?? wall;
  fineSource = next ?? ofThisThread;
}

/** Whether time is not the real one, so that sleeping does not make it pass. */
export function clockIsReplaced(): boolean {
  return source !== wall;
}

/** Milliseconds, modulo 2^32, on a clock that all threads share: for differences (`| 0`) only. */
export function nowMs(): number {
  return source() | 0;
}

/** Microseconds, modulo 2^32, on the same clock: for differences of less than 35 minutes only. */
export function nowUs(): number {
  return (source() * 1000) | 0;
}

/**
 * Nanoseconds, whole, on a clock of this thread alone: for differences that one thread takes. They
 * do not wrap. The shared clock would not do: so far from its origin, a double tells 244 ns apart.
 */
export function nowNs(): number {
  return Math.floor(fineSource() * 1e6);
}

/**
 * When `nowNs` was 0 on this thread: whole seconds since 1970, and nanoseconds beyond them. Where
 * threads have one origin it is the same on all of them, to the nanosecond.
 */
export function clockOrigin(): { readonly seconds: number; readonly ns: number } {
  const ms = clockIsReplaced() ? 0 : performance.timeOrigin;
  const seconds = Math.floor(ms / 1000);
  return { seconds, ns: Math.floor((ms - seconds * 1000) * 1e6) };
}
