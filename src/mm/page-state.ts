/**
 * Changing a page's state word. Its owner alone (who holds the ptl of the entry, or the page's lock
 * bit) changes state, lock and lazyfree; references come and go from anywhere. Where the plan lets
 * nobody take references, a plain store is enough.
 */
import type { Cpu } from '#arch/cpu';
import { compareExchange, load, poke, wake } from '#arena/word';

let pins = false;

/** Whether somebody (GUP) may take references to pages that are mapped; known when it is bound. */
export function configurePagePins(possible: boolean): void {
  pins = possible;
}

/** Flips the bits `flip` of the state word at `at`, which held `seen`. Returns what it became. */
export function flipPageState(cpu: Cpu, at: number, seen: number, flip: number): number {
  if (pins) return flipAmongReferences(cpu, at, flip);
  poke(at, seen ^ flip);
  return seen ^ flip;
}

/** Clears the bits `mask`, whichever of them are set by now; `seen` and result as above. */
export function clearPageState(cpu: Cpu, at: number, seen: number, mask: number): number {
  if (!pins) {
    poke(at, seen & ~mask);
    return seen & ~mask;
  }
  for (let state = load(cpu, at); ; ) {
    const found = compareExchange(cpu, at, state, state & ~mask);
    if (found === state) return state & ~mask;
    state = found;
  }
}

/** As `flipPageState`, and wakes whoever waits for the page. */
export function flipAndWake(cpu: Cpu, at: number, flip: number): number {
  const next = flipAmongReferences(cpu, at, flip);
  wake(at);
  return next;
}

/** Changes the state at `at` if it is still `seen`, and says whether it was. */
export function tryPageState(cpu: Cpu, at: number, seen: number, next: number): boolean {
  return compareExchange(cpu, at, seen, next) === seen;
}

function flipAmongReferences(cpu: Cpu, at: number, flip: number): number {
  for (let seen = load(cpu, at); ; ) {
    const found = compareExchange(cpu, at, seen, seen ^ flip);
    if (found === seen) return seen ^ flip;
    seen = found;
  }
}
