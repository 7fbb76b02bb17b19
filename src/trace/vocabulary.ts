/**
 * Numbers that stand in the arena for words: actors, race kinds, lock classes. Order is identity.
 */

/** Who acts: what a CPU is doing when it changes or looks at a page table. */
export const ACTORS = [
  'none',
  'boot',
  'fault',
  'madvise',
  'munmap',
  'scanner',
  'access',
  'exit',
  'reclaim',
  'walker',
  'gup',
  'pressure',
  'mremap',
] as const;
export const ACTOR = {
  none: 0,
  boot: 1,
  fault: 2,
  madvise: 3,
  munmap: 4,
  scanner: 5,
  access: 6,
  exit: 7,
  reclaim: 8,
  walker: 9,
  gup: 10,
  pressure: 11,
  mremap: 12,
} as const;

/**
 * A race is counted where one CPU finds that another changed what it had looked at. `pmdChanged`:
 * the recheck under the ptl failed; `pmdGone`: the map returned null though the walker had seen a
 * table; `pteChanged`: the entry differs under the ptl; `tableLost`: somebody else populated the
 * pmd first; `refilled`: a reclaimer found the table no longer empty once it held the locks;
 * `pmdTrylockFailed`; `staleWalk`: a lockless reader was inside a table when it was unhooked
 * (harmless thanks to RCU); `vmaLockFallback`: the per-VMA lock was not to be had; `trygetFailed`:
 * a table was dying when a walker asked for a reference.
 */
export const RACES = [
  'pmdChanged',
  'pmdGone',
  'pteChanged',
  'tableLost',
  'refilled',
  'pmdTrylockFailed',
  'staleWalk',
  'vmaLockFallback',
  'trygetFailed',
] as const;
export const RACE = {
  pmdChanged: 0,
  pmdGone: 1,
  pteChanged: 2,
  tableLost: 3,
  refilled: 4,
  pmdTrylockFailed: 5,
  staleWalk: 6,
  vmaLockFallback: 7,
  trygetFailed: 8,
} as const;

/**
 * Lock classes, numbered once, outermost first: mmap lock, VMA lock, then the spinlocks in the
 * order in which they nest (pml before ptl), then leaf locks: of the allocators, of the torture
 * tests, and of the switches of percpu refs.
 */
export const LOCKS = [
  'mmap',
  'vma',
  'page-table',
  'pml',
  'ptl',
  'zone',
  'tables',
  'bodies',
  'torture',
  'ref-switch',
  'table-rwsem',
  'anon-vma',
] as const;
export const LOCK = {
  mmap: 0,
  vma: 1,
  pageTable: 2,
  pml: 3,
  ptl: 4,
  zone: 5,
  tables: 6,
  bodies: 7,
  torture: 8,
  refSwitch: 9,
  tableRwsem: 10,
  anonVma: 11,
} as const;

/** Bits (1 << class) of the lock classes to which `choice` gives `algorithm`. */
export function lockClassesWith(
  choice: Readonly<Record<'page-table' | 'pml' | 'ptl' | 'zone', string>>,
  algorithm: string,
): number {
  let mask = 0;
  if (choice['page-table'] === algorithm) mask |= 1 << LOCK.pageTable;
  if (choice.pml === algorithm) mask |= 1 << LOCK.pml;
  if (choice.ptl === algorithm) mask |= 1 << LOCK.ptl;
  if (choice.zone === algorithm) mask |= 1 << LOCK.zone;
  return mask;
}
