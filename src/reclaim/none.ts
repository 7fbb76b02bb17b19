/**
 * P0, no reclaim: empty PTE tables stay until munmap or exit. The control that every protocol is
 * held against, and what the others extend: a place of the socket that a protocol leaves alone does
 * nothing.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import type { Mm } from '#mm/mm';
import type { ReclaimProtocol, ZapFacts } from '#mm/reclaim-protocol';

export class NoReclaim implements ReclaimProtocol {
  readonly hooks: number = 0;

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

  userReturn(_cpu: Cpu, _mm: Mm): void {}

  scan(_cpu: Cpu, _mm: Mm, _slots: number): number {
    return 0;
  }
}
