/**
 * Mutations that were looked at by a person because nothing was found: by their ids, why they are
 * equivalent, or why they survive although they are not.
 */
export interface Argument {
  /** `equivalent`: no execution can go wrong that did not before. */
  readonly verdict: 'equivalent' | 'survives';
  readonly because: string;
}

export const ARGUMENTS: Readonly<Record<string, Argument>> = {
  'mm/hardware-walk/walkUpper/recheck-1e085c': equivalent(
    'a pmd entry is none or a table, and a none that is remembered reads as nothing remembered',
  ),
  'mm/mmap/exitMmap/lock-8cc29c': equivalent(
    'the process ends when no other CPU runs any more, so that there is nobody to keep out',
  ),
  'mm/rcu-free/rcuOperationEnd/rcu-b25eaa': equivalent(
    'whoever awaits the switch of a reference count finishes it after the grace period; this helps',
  ),
  'mm/userfaultfd/uffdWpRange/condition-72b873': survives(
    'a flush is missed where all entries are protected: judges compare pages, not permissions',
  ),
  'reclaim/async-scanner/scanVmas/condition-85c6bd': equivalent(
    'where a pass ended is found again by the next one: behind the last VMA it begins at 0 anyway',
  ),
  'reclaim/atomic-refcount/entriesChanged/count-a0ea8d.2': equivalent(
    'never reached: entries go under a reference to their table, which is put before the next map',
  ),
};

function equivalent(because: string): Argument {
  return { verdict: 'equivalent', because: `${because}.` };
}

function survives(because: string): Argument {
  return { verdict: 'survives', because: `${because}.` };
}
