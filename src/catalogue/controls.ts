/**
 * Broken versions that belong to no race of the field: they only show that the judges of our own
 * accounts, flushes, RCU and locks can fire.
 */
import { type BrokenVersion, CONTROL } from './broken-version.ts';

const OURS = 'own control';

const ACCOUNTS: readonly BrokenVersion[] = [
  {
    name: 'scan-pml-under-ptl',
    bug: CONTROL,
    summary: 'the scanner takes the pml once more under the ptl, which it may hold alone',
    source: OURS,
    edit: {
      label: 'scan-ptl',
      becomes: [
        'const nested = ptl !== pml;',
        'if (nested) {',
        'pmdUnlock(cpu, pml);',
        'spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);',
        'pmdLock(cpu, mm, pmdp);',
        'spinUnlock(cpu, ptl, LOCK.ptl);',
        '}',
      ].join(' '),
    },
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'lock-order',
  },
  {
    name: 'nr-ptes-not-decremented',
    bug: CONTROL,
    summary: 'a reclaimed table goes on being counted in VmPTE',
    source: OURS,
    edit: { label: 'dec-nr-ptes', becomes: '' },
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'wrong-nr-ptes',
  },
  {
    name: 'rss-not-decremented',
    bug: CONTROL,
    summary: 'a zapped page goes on being counted in RSS',
    source: OURS,
    edit: { label: 'dec-rss', becomes: '' },
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'wrong-rss',
  },
];

const FLUSHES: readonly BrokenVersion[] = [
  stale('no-shootdown', 'a flush leaves the other CPUs their translations', 'flush-others', ''),
  stale('own-tlb-kept', 'a flush leaves this CPU its own translations', 'flush-own', ''),
  stale('gather-no-flush', 'a gather lets pages and tables go unflushed', 'gather-flush', ''),
  stale('serve-without-flush', 'a CPU acknowledges interrupts and does nothing', 'serve-flush', ''),
  stale('enter-without-flush', 'a CPU that was away does not catch up', 'enter-mm-flush', ''),
  stale('cow-no-flush', 'the zero page is replaced and stays in TLBs', 'clear-flush', ''),
];

const RCU: readonly BrokenVersion[] = [
  torture('rcu-callback-at-once', 'a callback is due as soon as it is queued', {
    edit: { label: 'rcu-defer', becomes: 'poke(at + RCU_RECORD.epoch, 0);' },
    scenario: 'rcutorture',
    oracle: 'rcu-too-early',
  }),
  torture('rcu-reader-unregistered', 'a CPU with readers counts as idle', {
    edit: { label: 'rcu-register', becomes: 'store(cpu, cpu.block + PERCPU.rcuSeen, IDLE);' },
    scenario: 'rcutorture',
    oracle: 'rcu-too-early',
  }),
];

const LOCKS: readonly BrokenVersion[] = [
  lock('ttas', 'does-nothing', 'the lock lets everybody in', 'ttas-take', 'const holder = 0;'),
  lock(
    'ttas',
    'not-atomic',
    'testing and setting are two steps',
    'ttas-take',
    'const holder = load(cpu, lockp); ' +
      'if (holder === 0) storeReleaseAndWake(cpu, lockp, cpu.id + 1);',
  ),
  lock(
    'ticket',
    'no-wait',
    'a ticket is drawn, not waited for',
    'ticket-wait',
    'const served = true;',
  ),
  lock(
    'ticket',
    'one-early',
    'the next in line does not wait for the holder to leave',
    'ticket-wait',
    'const served = ((mine - word) & SERVING_MASK) <= 1;',
  ),
  lock('mcs', 'no-wait', 'a CPU queues but does not wait', 'mcs-wait', ''),
  lock('mcs', 'no-handover', 'nobody is told of a release', 'mcs-handover', '', 'livelock'),
  lock(
    'rwsem',
    'reader-no-wait',
    'readers do not wait for the writer',
    'rwsem-read-wait',
    'if (!entered) addAndWake(cpu, sem + STATE, 1);',
  ),
  lock(
    'rwsem',
    'writer-no-wait',
    'a writer does not wait for readers',
    'rwsem-write-wait',
    'if (!entered) addAndWake(cpu, sem + STATE, WRITER);',
  ),
  lock('vma-lock', 'no-visit', 'the writer visits no reader', 'vma-visit', 'const inside = 0;'),
  lock(
    'vma-lock',
    'no-recheck',
    'a reader ignores the writer',
    'vma-recheck',
    'const free = true;',
  ),
];

export const CONTROLS: readonly BrokenVersion[] = [...ACCOUNTS, ...FLUSHES, ...RCU, ...LOCKS];

/** A flush that is missing; `becomes` as in an edit. */
function stale(name: string, summary: string, label: string, becomes: string): BrokenVersion {
  return {
    name,
    bug: CONTROL,
    summary,
    source: OURS,
    edit: { label, becomes },
    protocol: 'pt-reclaim',
    scenario: 'tlb-shootdown',
    oracle: 'stale-translation',
  };
}

function torture(
  name: string,
  summary: string,
  rest: Pick<BrokenVersion, 'edit' | 'scenario' | 'oracle' | 'conditions'>,
): BrokenVersion {
  return { name, bug: CONTROL, summary, source: OURS, protocol: 'none', ...rest };
}

function lock(
  which: string,
  fault: string,
  summary: string,
  label: string,
  becomes: string,
  oracle = 'mutual-exclusion',
): BrokenVersion {
  return torture(`${which}-${fault}`, summary, {
    edit: { label, becomes },
    scenario: 'locktorture',
    oracle,
    conditions: { lock: which },
  });
}
