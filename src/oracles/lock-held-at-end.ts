/**
 * When nothing runs any more, every lock is free: the words of the locks, and what the CPUs say
 * they hold.
 */
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { PAGE, PAGE_DESC_SHIFT, PAGE_LOCKED } from '#arena/layout/page';
import { MCS_DEPTH_MAX, MCS_NODE, PERCPU } from '#arena/layout/percpu';
import { frameLevelOf, PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import { LOCK } from '#trace/vocabulary';
import type { Audit } from './audit.ts';
import { blockOf, type Evidence } from './evidence.ts';
import { hex, lockName } from './naming.ts';
import type { Findings } from './verdict.ts';

/** Second word of the rwsem: whose turn it is. */
const RWSEM_TURN = 1;

export function auditLocks({ evidence, tables, heldPages }: Audit, findings: Findings): void {
  const { words, map, splitLocks } = evidence;
  for (let table = tables.first; table < tables.fresh; table++) {
    const at = map.ptdescs + (table << PTDESC_SHIFT);
    const word = words[at + PTDESC.ptl]!;
    if (word === 0) continue;
    const level = frameLevelOf(words[at + PTDESC.state]!);
    const lockClass = level === 0 ? LOCK.ptl : LOCK.pml;
    auditWord(evidence, at + PTDESC.ptl, 1 << lockClass, findings);
  }
  const shared = splitLocks ? 0 : (1 << LOCK.ptl) | (1 << LOCK.pml);
  auditWord(evidence, map.mm + MM.pageTableLock, shared | (1 << LOCK.pageTable), findings);
  auditWord(evidence, CONTROL.zoneLock, 1 << LOCK.zone, findings);
  auditWord(evidence, CONTROL.tableLock, 1 << LOCK.tables, findings);
  auditWord(evidence, CONTROL.bodyLock, 1 << LOCK.bodies, findings);
  auditWord(evidence, CONTROL.refSwitchLock, 1 << LOCK.refSwitch, findings);
  auditSemaphore(evidence, map.mm + MM.mmapLock, findings);
  auditSemaphore(evidence, map.mm + MM.anonVma, findings);
  for (const pfn of heldPages) {
    if ((words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]! & PAGE_LOCKED) !== 0)
      findings.add('lock-held-at-end', [], () => `page ${pfn} is still locked`);
  }
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) auditCpu(evidence, cpu, findings);
}

/**
 * A free spinlock is zero; a free ticket lock has two equal halves. `classes`: bits it is taken as.
 */
function auditWord(evidence: Evidence, at: number, classes: number, findings: Findings): void {
  const { words, map, ticketClasses } = evidence;
  const word = words[at]!;
  if (word === 0) return;
  if ((ticketClasses & classes) !== 0 && word >>> 16 === (word & 0xffff)) return;
  findings.add(
    'lock-held-at-end',
    [],
    () => `${lockName(words, map, at)} is not free: ${hex(word)}`,
  );
}

function auditSemaphore({ words, map }: Evidence, at: number, findings: Findings): void {
  const state = words[at]!;
  const turn = words[at + RWSEM_TURN]!;
  if (state !== 0 || turn !== 0)
    findings.add(
      'lock-held-at-end',
      [],
      () => `${lockName(words, map, at)} is not free: state ${hex(state)}, turn of ${turn}`,
    );
}

function auditCpu({ words, map }: Evidence, cpu: number, findings: Findings): void {
  const block = blockOf(map, cpu);
  const held = words[block + PERCPU.heldCount]!;
  if (held !== 0)
    findings.add('lock-held-at-end', [cpu], () => {
      const outermost = lockName(words, map, words[block + PERCPU.held]!);
      return held < 0
        ? `cpu${cpu} has released ${-held} more spinlocks than it took`
        : `cpu${cpu} holds ${held} spinlocks, ${outermost} first`;
    });
  for (let vma = 0; vma < map.geometry.vmas; vma++) {
    if (words[block + map.vmaReaders + vma] !== 0)
      findings.add('lock-held-at-end', [cpu], () => `cpu${cpu} holds the read lock of vma ${vma}`);
  }
  for (let i = 0; i < MCS_DEPTH_MAX; i++) {
    const lock = words[block + PERCPU.mcs + i * MCS_NODE.sizeWords + MCS_NODE.lock]!;
    if (lock !== 0)
      findings.add('lock-held-at-end', [cpu], () => {
        return `cpu${cpu} is still in the queue of ${lockName(words, map, lock)}`;
      });
  }
}
