/** A system call as importers hand it on, whatever text it came from. */

export type CallName = (typeof CALL_NAMES)[number];

/** The calls that change what is mapped, or what the pages of it hold. */
export const CALL_NAMES = [
  'mmap',
  'munmap',
  'madvise',
  'process_madvise',
  'mremap',
  'mprotect',
  'brk',
] as const;

/**
 * A call that has returned. `words`: its arguments, as numbers where that is what they are.
 * `advice` and `ranges`: what madvise and process_madvise said of which bytes, where it is known.
 */
export interface SystemCall {
  readonly name: CallName;
  readonly words: readonly number[];
  readonly result: number;
  /** As `errno` has it, or null. */
  readonly error: string | null;
  readonly advice?: string;
  readonly ranges?: readonly { readonly start: number; readonly bytes: number }[];
}

export function isCallName(name: string): name is CallName {
  return (CALL_NAMES as readonly string[]).includes(name);
}

/**
 * Whether a call takes effect, as far as its order goes, when it returns. What takes pages away
 * does so at its beginning: another thread may be given those pages before the call has returned,
 * and a fault of another thread meanwhile finds them gone. What gives pages does so at its end:
 * nobody can use them before, and who took away what was there had begun by then.
 */
export function takesEffectAtReturn(name: CallName): boolean {
  return name === 'mmap' || name === 'brk';
}

/** madvise goes on where nothing is mapped, and says so at the end. */
export function hasDoneNothing({ name, error }: SystemCall): boolean {
  if (error === null) return false;
  return !(error === 'ENOMEM' && (name === 'madvise' || name === 'process_madvise'));
}

/** Names of advice by its number. */
export const ADVICE_NAMES: Readonly<Record<number, string>> = {
  0: 'normal',
  1: 'random',
  2: 'sequential',
  3: 'willneed',
  4: 'dontneed',
  8: 'free',
  9: 'remove',
  10: 'dontfork',
  11: 'dofork',
  12: 'mergeable',
  13: 'unmergeable',
  14: 'hugepage',
  15: 'nohugepage',
  16: 'dontdump',
  17: 'dodump',
  18: 'wipeonfork',
  19: 'keeponfork',
  20: 'cold',
  21: 'pageout',
  22: 'populate-read',
  23: 'populate-write',
  24: 'dontneed-locked',
  25: 'collapse',
  102: 'guard-install',
  103: 'guard-remove',
};

/** Bits of arguments, by the names that the C library has for them. */
export const BITS = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  PROT_EXEC: 4,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_SHARED_VALIDATE: 3,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_GROWSDOWN: 0x100,
  MAP_LOCKED: 0x2000,
  MAP_POPULATE: 0x8000,
  MAP_HUGETLB: 0x4_0000,
  MREMAP_FIXED: 2,
  MREMAP_DONTUNMAP: 4,
} as const;
