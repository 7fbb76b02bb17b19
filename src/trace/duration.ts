/**
 * Durations kept in the arena, whole nanoseconds in two words (`DURATION`): what a run adds up is
 * soon more than one word holds.
 */
import { DURATION } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';

const NS_PER_SECOND = 1_000_000_000;

/** Nanoseconds of the duration at `at`. */
export function peekDuration(at: number): number {
  return peek(at + DURATION.seconds) * NS_PER_SECOND + peek(at + DURATION.ns);
}

export function pokeDuration(at: number, ns: number): void {
  const seconds = Math.floor(ns / NS_PER_SECOND);
  poke(at + DURATION.seconds, seconds);
  poke(at + DURATION.ns, ns - seconds * NS_PER_SECOND);
}

/** Adds `ns` to a duration that only this CPU writes. */
export function addDuration(at: number, ns: number): void {
  pokeDuration(at, peekDuration(at) + ns);
}

/** Raises it to at least `ns`. */
export function raiseDuration(at: number, ns: number): void {
  if (ns > peekDuration(at)) pokeDuration(at, ns);
}

/** The same as `peekDuration`, of an arena from outside. */
export function durationIn(words: Int32Array, at: number): number {
  return words[at + DURATION.seconds]! * NS_PER_SECOND + words[at + DURATION.ns]!;
}
