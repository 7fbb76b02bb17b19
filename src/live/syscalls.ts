/**
 * The system calls of memory, through libc by FFI (koffi). In the process that executes plans, and
 * only there: what is mapped here is mapped in it.
 */
import koffi from 'koffi';

/** Addresses are numbers below 2^47, which a double holds exactly; results are 0, or -1. */
export interface Syscalls {
  /** Maps anonymous private memory at exactly `address`; what was there goes. */
  readonly mmap: (
    address: number,
    length: number,
    protection: number,
    noReserve: boolean,
  ) => boolean;
  readonly munmap: (address: number, length: number) => boolean;
  /** Whether nothing is mapped in the range: a trial. */
  readonly isFree: (address: number, length: number) => boolean;
  readonly mprotect: (address: number, length: number, protection: number) => boolean;
  readonly madvise: (address: number, length: number, advice: number) => boolean;
  /** Moves to `to` exactly; `to` 0: grows or shrinks where it is. */
  readonly mremap: (from: number, oldLength: number, newLength: number, to: number) => boolean;
  /** read(2) into memory at an address; how many bytes, or -1. */
  readonly read: (file: number, address: number, length: number) => number;
  /** pwrite(2) to the start of a file, from memory at an address; how many bytes, or -1. */
  readonly write: (file: number, address: number, length: number) => number;
  /** A file in memory, and of no name. */
  readonly memoryFile: () => number;
}

export const PROTECTION = { none: 0, read: 1, write: 3 } as const;

const MAP_PRIVATE = 0x2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FIXED_NOREPLACE = 0x100000;
const MAP_FLAGS = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
const TRIAL_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const PR_SET_PDEATHSIG = 1;
const PR_SET_THP_DISABLE = 41;
const SIGKILL = 9;

export function loadSyscalls(): Syscalls {
  const libc = koffi.load('libc.so.6');
  const mmap = libc.func('int64 mmap(uintptr_t, size_t, int, int, int, int64)');
  const munmap = libc.func('int munmap(uintptr_t, size_t)');
  const mprotect = libc.func('int mprotect(uintptr_t, size_t, int)');
  const madvise = libc.func('int madvise(uintptr_t, size_t, int)');
  const mremap = libc.func('int64 mremap(uintptr_t, size_t, size_t, int, uintptr_t)');
  const read = libc.func('int64 read(int, uintptr_t, size_t)');
  const pwrite = libc.func('int64 pwrite(int, uintptr_t, size_t, int64)');
  const memfdCreate = libc.func('int memfd_create(str, uint)');
  const prctl = libc.func('int prctl(int, uint64, uint64, uint64, uint64)');
  // For the whole process rather than by MADV_NOHUGEPAGE for each range: the flag that advice sets
  // would come after mmap, and keep the new mapping from being merged with its neighbours.
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  // Whoever asked may be gone in the midst of a plan, when nothing is received.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  return {
    mmap: (address, length, protection, noReserve) => {
      const flags = noReserve ? MAP_FLAGS | MAP_NORESERVE : MAP_FLAGS;
      return mmap(address, length, protection, flags, -1, 0) === address;
    },
    munmap: (address, length) => munmap(address, length) === 0,
    isFree: (address, length) =>
      mmap(address, length, PROTECTION.none, TRIAL_FLAGS, -1, 0) === address &&
      munmap(address, length) === 0,
    mprotect: (address, length, protection) => mprotect(address, length, protection) === 0,
    madvise: (address, length, advice) => madvise(address, length, advice) === 0,
    mremap: (from, oldLength, newLength, to) =>
      Number(
        to === 0
          ? mremap(from, oldLength, newLength, 0, 0)
          : mremap(from, oldLength, newLength, MREMAP_MAYMOVE | MREMAP_FIXED, to),
      ) !== -1,
    read: (file, address, length) => Number(read(file, address, length)),
    write: (file, address, length) => Number(pwrite(file, address, length, 0)),
    memoryFile: () => memfdCreate('pttorture', 0),
  };
}
