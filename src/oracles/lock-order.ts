/**
 * Lock order: the law, stated apart from the code that must obey it, and the orders in which CPUs
 * have taken locks. An order against the law is a deadlock that needs nothing but the right moment:
 * the run need not have met it.
 *
 * Every class has its place, so that a circle of orders, however long, has at least one against the
 * law in it. That one is told, with the way back if somebody has gone it.
 */
import { LOCK_ORDER, LOCKS_MAX, PERCPU } from '#arena/layout/percpu';
import { ACTORS, LOCK, LOCKS } from '#trace/vocabulary';
import { blockOf, type Evidence } from './evidence.ts';
import type { Findings } from './verdict.ts';

type LockName = (typeof LOCKS)[number];

/** Outermost first. Classes in one row are never taken under each other. */
export const LOCK_LAW: readonly (readonly LockName[])[] = [
  // The tortured lock stands where the mmap lock does: it orders the writers of a VMA lock.
  ['mmap', 'torture'],
  ['vma'],
  ['anon-vma'],
  ['table-rwsem'],
  ['page-table'],
  ['pml'],
  ['ptl'],
  ['zone', 'tables', 'bodies', 'ref-switch'],
];

const PLACE = LOCKS.map((name) => LOCK_LAW.findIndex((row) => row.includes(name)));

/** A lock of class `inner` was taken under one of class `outer`. */
interface Order {
  readonly outer: number;
  readonly inner: number;
  readonly cpu: number;
  /** As noted by the CPU; see `LOCK_ORDER`. */
  readonly how: number;
}

/** Every order against the law that a CPU has noted. */
export function judgeLockOrder(evidence: Evidence, findings: Findings): void {
  const orders = ordersOf(evidence);
  for (const order of orders) {
    if (PLACE[order.outer]! < PLACE[order.inner]!) continue;
    const back = order.outer === order.inner ? [] : wayBack(orders, order);
    const cpus = [...back, order].map(({ cpu }) => cpu);
    findings.add('lock-order', cpus, () => describe(evidence, order, back));
  }
}

/** Of each order, the first CPU's; where locks are not split, of the locks that there are. */
function ordersOf(evidence: Evidence): Order[] {
  const { words, map } = evidence;
  const orders = new Map<number, Order>();
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const at = blockOf(map, cpu) + PERCPU.lockOrders;
    for (let pair = 0; pair < LOCKS_MAX * LOCKS_MAX; pair++) {
      const how = words[at + pair]!;
      if (how === 0) continue;
      const outer = lockOf(evidence, Math.floor(pair / LOCKS_MAX));
      const inner = lockOf(evidence, pair % LOCKS_MAX);
      const key = outer * LOCKS_MAX + inner;
      if (!orders.has(key)) orders.set(key, { outer, inner, cpu, how });
    }
  }
  return [...orders.values()];
}

/** The class itself, or where locks are not split the page-table lock, which is then all three. */
function lockOf({ splitLocks }: Evidence, lockClass: number): number {
  const isShared = !splitLocks && (lockClass === LOCK.pml || lockClass === LOCK.ptl);
  return isShared ? LOCK.pageTable : lockClass;
}

/** The shortest chain of orders from the inner lock of `order` to its outer one, or nothing. */
function wayBack(orders: readonly Order[], order: Order): Order[] {
  let ways: Order[][] = [[]];
  const reached = new Set([order.inner]);
  while (ways.length > 0) {
    const longer: Order[][] = [];
    for (const way of ways) {
      const from = way.at(-1)?.inner ?? order.inner;
      for (const next of orders) {
        if (next.outer !== from || reached.has(next.inner)) continue;
        if (next.inner === order.outer) return [...way, next];
        reached.add(next.inner);
        longer.push([...way, next]);
      }
    }
    ways = longer;
  }
  return [];
}

/** `ptl was taken under pml by cpu0 (madvise) and pml under ptl by cpu1 (scanner)`. */
function describe(evidence: Evidence, order: Order, back: readonly Order[]): string {
  const { outer, inner } = order;
  if (outer === inner)
    return `a second ${LOCKS[inner]} lock was taken under the first by ${whoTook(evidence, order)}`;
  if (back.length === 0) {
    const taken = `${LOCKS[inner]} was taken under ${LOCKS[outer]} by ${whoTook(evidence, order)}`;
    const isOneRow = PLACE[outer] === PLACE[inner];
    return `${taken}, ${isOneRow ? 'and neither goes under the other' : 'against the lock order'}`;
  }
  const links = [...back, order].map((link, i) => {
    const verb = i === 0 ? 'was taken under' : 'under';
    return `${LOCKS[link.inner]} ${verb} ${LOCKS[link.outer]} by ${whoTook(evidence, link)}`;
  });
  return links.join(' and ');
}

/** `cpu1 (madvise)`, and what it held besides. */
function whoTook(evidence: Evidence, { outer, cpu, how }: Order): string {
  const held = how >>> LOCK_ORDER.heldShift;
  const others = LOCKS.filter((_, lockClass) => {
    return (held & (1 << lockClass)) !== 0 && lockOf(evidence, lockClass) !== outer;
  });
  const actor = ACTORS[how & LOCK_ORDER.actorMask];
  const besides = others.length === 0 ? '' : ` with ${others.join(', ')}`;
  return `cpu${cpu} (${actor}${besides})`;
}
