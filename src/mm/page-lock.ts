/**
 * The lock of a page (Linux's folio lock), which page reclaim takes before it looks for the entry
 * that maps the page. Only tried for, never waited for, except by a fault that finds the page on
 * its way out.
 *
 * Whoever has locked a page also holds a reference, so that the frame is not used anew meanwhile.
 * The owner of the entry may unmap and free the page in spite of the lock: then it is free, and
 * neither locked nor mapped, when the lock is let go.
 */
import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { pageAt } from '#arena/arena';
import {
  PAGE,
  PAGE_LOCKED,
  PAGE_REFERENCE,
  PAGE_REFERENCES_MASK,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { load, wake } from '#arena/word';
import { rcuIdleEnter, rcuIdleExit } from '#sync/rcu';
import { returnPage } from './page-alloc.ts';
import { tryPageState } from './page-state.ts';

/** Locks page `pfn` and takes a reference to it; false: it is not mapped, or somebody else's. */
export function pageTrylock(cpu: Cpu, pfn: number): boolean {
  const at = pageAt(pfn) + PAGE.state;
  for (;;) {
    const state = load(cpu, at);
    if ((state & (PAGE_STATE_MASK | PAGE_LOCKED)) !== PAGE_STATE.mapped) return false;
    if (tryPageState(cpu, at, state, (state | PAGE_LOCKED) + PAGE_REFERENCE)) return true;
  }
}

/** Unlocks page `pfn` and returns the reference; a page that was freed meanwhile goes with it. */
export function pageUnlock(cpu: Cpu, pfn: number): void {
  const at = pageAt(pfn) + PAGE.state;
  for (;;) {
    const state = load(cpu, at);
    const next = (state & ~PAGE_LOCKED) - PAGE_REFERENCE;
    if (!tryPageState(cpu, at, state, next)) continue;
    wake(at);
    if ((next & (PAGE_STATE_MASK | PAGE_REFERENCES_MASK)) === PAGE_STATE.free) returnPage(cpu, pfn);
    return;
  }
}

/** Waits until the state word of page `pfn` is no longer `seen`. No spinlock, no read section. */
export function waitOnPage(cpu: Cpu, pfn: number, seen: number): void {
  const idle = rcuIdleEnter(cpu);
  waitUntilChanged(cpu, pageAt(pfn) + PAGE.state, seen);
  if (idle) rcuIdleExit(cpu);
}
