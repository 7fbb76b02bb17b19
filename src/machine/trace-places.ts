/** What a trace calls a lock, and a word that somebody waits for. */
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { PAGE_DESC_SHIFT } from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import { REF, REF_SHIFT } from '#arena/layout/percpu-ref';
import { TABLE_SEM } from '#arena/layout/protocol-words';
import { PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import { LOCK, LOCKS } from '#trace/vocabulary';

/** Of classes that have one lock; the others are told apart. */
const ALONE: Readonly<Record<number, string>> = {
  [LOCK.mmap]: 'mmap lock',
  [LOCK.pageTable]: 'page-table lock',
  [LOCK.zone]: 'zone lock',
  [LOCK.tables]: 'lock of the free tables',
  [LOCK.bodies]: 'lock of the free bodies',
  [LOCK.torture]: 'tortured lock',
  [LOCK.anonVma]: 'rmap lock',
};

/** The lock of class `lockClass` at `place`; of a per-VMA lock, `place` is the VMA's number. */
export function lockText(map: ArenaMap, lockClass: number, place: number): string {
  if (lockClass === LOCK.vma) return `lock of VMA ${place}`;
  const name = LOCKS[lockClass] ?? `class ${lockClass}`;
  // Where locks are not split.
  if (place === map.mm + MM.pageTableLock && lockClass !== LOCK.pageTable)
    return `page-table lock as ${name}`;
  const alone = ALONE[lockClass];
  if (alone !== undefined) return alone;
  const inTables = place - map.ptdescs;
  if (inTables >= 0 && inTables < map.geometry.tables << PTDESC_SHIFT)
    return `${name} of table ${inTables >> PTDESC_SHIFT}`;
  if (place === CONTROL.refSwitchLock) return 'switch lock of the percpu refs';
  const inWords = place - map.tableWords;
  if (lockClass === LOCK.tableRwsem)
    return `table semaphore ${Math.floor(inWords / TABLE_SEM.sizeWords)}`;
  return lockClass === LOCK.refSwitch
    ? `switch lock of the ref of table ${inWords >> REF_SHIFT}`
    : `${name} at word ${place}`;
}

/** What a CPU waits for that waits for the word `at` to change. */
export function awaitedText(map: ArenaMap, at: number): string {
  if (at === CONTROL.rcuEpoch) return 'a grace period';
  if (at === CONTROL.round) return 'the other CPUs';
  if (at === map.mm + MM.userfaultFills) return 'a userfault to be filled';
  const cpu = Math.floor((at - map.percpu) / map.percpuWords);
  if (cpu >= 0 && cpu < map.geometry.cpus) {
    const offset = at - map.percpu - cpu * map.percpuWords;
    if (offset === PERCPU.ipiServed) return `CPU ${cpu} to serve an interrupt`;
    if (offset === PERCPU.rcuTail) return `callbacks of CPU ${cpu}`;
  }
  const inPages = at - map.pages;
  if (inPages >= 0 && inPages < map.geometry.pages << PAGE_DESC_SHIFT)
    return `page ${inPages >> PAGE_DESC_SHIFT}`;
  const { tables, tableWords } = map.geometry;
  const inWords = at - map.tableWords;
  const isOfRef = inWords >= 0 && inWords < tables * tableWords;
  if (isOfRef && tableWords === REF.sizeWords && (inWords & (REF.sizeWords - 1)) === REF.confirm)
    return `the switch of the ref of table ${inWords >> REF_SHIFT}`;
  return `word ${at}`;
}
