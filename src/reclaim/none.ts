/**
 * P0, no reclaim: empty PTE tables stay until munmap or exit. The control that every protocol is
 * held against, and what the others extend: a place of the socket that a protocol leaves alone does
 * nothing.
 *
 * Two sets of rules. `6.5`: lookups may fail, since file-THP code frees tables without the mmap or
 * VMA lock, so a walker looks again once it has the ptl ("mm: allow pte_offset_map[_lock]() to
 * fail", Linux 6.5). `5.18`: tables vanish only where the mmap lock is held for writing, so a
 * lookup never fails and nobody looks again.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import type { Mm } from '#mm/mm';
import { HOOK, type ReclaimProtocol, type ZapFacts } from '#mm/reclaim-protocol';

export class NoReclaim implements ReclaimProtocol {
  readonly hooks: number;

  constructor(hooks = 0) {
    this.hooks = hooks;
  }

  tableConstruct(_cpu: Cpu, _table: number): boolean {
    return true;
  }

  tableDestruct(_cpu: Cpu, _table: number): void {}

  walkBegin(_cpu: Cpu, _mm: Mm, _slot: number): void {}

  walkEnd(_cpu: Cpu, _mm: Mm, _slot: number): void {}

  tableGet(_cpu: Cpu, _table: number): boolean {
    return true;
  }

  tableGetFailed(_cpu: Cpu, _mm: Mm, _pmdp: Pmdp, _slot: number): void {}

  tablePut(_cpu: Cpu, _mm: Mm, _pmdp: Pmdp, _slot: number, _table: number): void {}

  entriesChanged(_cpu: Cpu, _table: number, _entries: number, _zeros: number): void {}

  zapLocked(
    _cpu: Cpu,
    _mm: Mm,
    _pmdp: Pmdp,
    _slot: number,
    _table: number,
    _facts: ZapFacts,
  ): boolean {
    return false;
  }

  zapDone(_cpu: Cpu, _mm: Mm, _pmdp: Pmdp, _slot: number, _facts: ZapFacts): number {
    return 0;
  }

  rangeDone(
    _cpu: Cpu,
    _mm: Mm,
    _vma: number,
    _startSlot: number,
    _startIndex: number,
    _endSlot: number,
    _endIndex: number,
  ): void {}

  lazyfreeDone(_cpu: Cpu, _mm: Mm, _pmdp: Pmdp, _slot: number, _marked: boolean): void {}

  rmapDone(
    _cpu: Cpu,
    _mm: Mm,
    _pmdp: Pmdp,
    _slot: number,
    _discarded: boolean,
    _redirtied: boolean,
  ): void {}

  userReturn(_cpu: Cpu, _mm: Mm): void {}

  scan(_cpu: Cpu, _mm: Mm, _slots: number): number {
    return 0;
  }

  pressure(_cpu: Cpu, _mm: Mm): number {
    return 0;
  }
}

/** `rules`: `6.5` or `5.18`. */
export function makeNoReclaim(rules: string): NoReclaim {
  return new NoReclaim(rules === '5.18' ? HOOK.stableTables : 0);
}
