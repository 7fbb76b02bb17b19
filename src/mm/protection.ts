/**
 * What a VMA allows user code to do, and what Linux says of the memory behind it. The words of
 * `PROTECTION` are those of a scenario.
 */
import type { Cpu } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { peek } from '#arena/word';

/** `write`: read and write. */
export const PROTECTION = { none: 0, read: 1, write: 2 } as const;

/** What protections are told by; the other flags of a VMA say nothing of accesses. */
export const ACCESS_FLAGS = VMA_FLAG.noRead | VMA_FLAG.noWrite;

/** Flags of a fresh mapping with `protection`: memory is set aside for what may be written. */
export function flagsOfProtection(protection: number): number {
  return protection === PROTECTION.write ? 0 : accessFlags(protection) | VMA_FLAG.noAccount;
}

/**
 * Flags of VMA `vma` once its protection is `protection`. What is set aside stays so, unless
 * nothing was ever written there; where it must not be, it never is.
 */
export function flagsWithProtection(vma: number, protection: number): number {
  const before = peek(vmaAt(vma) + VMA.flags);
  const flags = (before & ~ACCESS_FLAGS) | accessFlags(protection);
  if ((before & VMA_FLAG.noReserve) !== 0) return flags;
  if (protection === PROTECTION.write) return flags & ~VMA_FLAG.noAccount;
  return peek(vmaAt(vma) + VMA.anonVma) === 0 ? flags | VMA_FLAG.noAccount : flags;
}

/** Whether VMA `vma` now has `protection`. */
export function hasProtection(vma: number, protection: number): boolean {
  return (peek(vmaAt(vma) + VMA.flags) & ACCESS_FLAGS) === accessFlags(protection);
}

/** Whether VMA `vma`, whose lock is held, allows the access; its flags are noted for the fault. */
export function allowsAccess(cpu: Cpu, vma: number, write: boolean): boolean {
  cpu.vmaFlags = peek(vmaAt(vma) + VMA.flags);
  return (cpu.vmaFlags & (write ? VMA_FLAG.noWrite : VMA_FLAG.noRead)) === 0;
}

/** Whether entries of the VMA whose flags are noted may be writable. */
export function mayBeWritten(cpu: Cpu): boolean {
  return (cpu.vmaFlags & VMA_FLAG.noWrite) === 0;
}

function accessFlags(protection: number): number {
  if (protection === PROTECTION.write) return 0;
  return protection === PROTECTION.read ? VMA_FLAG.noWrite : ACCESS_FLAGS;
}
