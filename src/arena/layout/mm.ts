/** The one address space of a machine (Linux's `mm_struct`), and its VMAs (`vm_area_struct`). */
import { LINE_WORDS, linedStruct, struct } from './struct.ts';

export const MM = linedStruct({
  /** Reader-writer semaphore: its state, and whose turn it is (sync/rwsem.ts). */
  mmapLock: 2,
  /** Sequence for per-VMA locks: a VMA whose `lockSeq` equals this is write-locked. */
  lockSeq: 1,
  /** Lock for upper-level entries, and for all page-table entries where locks are not split. */
  pageTableLock: 1,
  /** Table number of the top-level directory. */
  pgd: 1,
  /**
   * Live tables as Linux counts them (`mm_pgtables_bytes` / 4 KiB), by level, and the sum's peak.
   */
  nrPtes: 1,
  nrPmds: 1,
  nrPuds: 1,
  nrTablesPeak: 1,
  /** Index of the VMA map in use (0 or 1), and its generation. */
  vmaMap: 1,
  /** Number of the latest TLB flush (Linux's `tlb_gen`), and in the low bits whose it was. */
  tlbGen: 1,
  /** Gathers in progress (`tlb_flush_pending`). */
  tlbFlushPending: 1,
  /**
   * Reader-writer semaphore of the way from pages back to entries: those who go it read, munmap
   * writes before it frees tables (Linux's `anon_vma`).
   */
  anonVma: 2,
  /** Unmaps whose flush page reclaim has put off, and how many of those are flushed by now. */
  tlbBatched: 1,
  tlbBatchedFlushed: 1,
  /** Changes with each fill of missing memory by userfaultfd; and CPUs that wait for one. */
  userfaultFills: 1,
  userfaultWaiters: 1,
  /** How many anonymous VMAs have been given a number (`VMA.anonVma`). */
  anonVmas: 1,
  /** Pages of the heap (Linux's `brk`). */
  brkPages: 1,
});

/**
 * A VMA. Bounds are pairs (slot, index): the slot is the number of the PTE table's place in the
 * address space (27 bits), the index the entry in it. Half open.
 */
export const VMA = struct({
  startSlot: 1,
  startIndex: 1,
  endSlot: 1,
  endIndex: 1,
  flags: 1,
  /** 1 while the VMA is in the map; cleared under its write lock before it goes. */
  attached: 1,
  lockSeq: 1,
  /** Number of its `anon_vma`; 0 until somebody writes there first. */
  anonVma: 1,
  /**
   * By how much its pages' offsets (`vm_pgoff`) are beyond their addresses, as (slots, index): 0,
   * unless it was moved with pages in it.
   */
  shiftSlots: 1,
  shiftIndex: 1,
  /** Readers find the record quiet, so records have a line each. */
  pad: LINE_WORDS - 10,
});

/**
 * `uffdMissing`: a fault on missing memory waits for a monitor; `shared`: a mapping that
 * userfaultfd marks where it zaps; `ptScan`: opted in to the asynchronous scanner, `noPtScan`: out
 * of it; `noRead`, `noWrite`: what its protection forbids (what may not be read may not be written
 * either); `noAccount`: no memory is set aside for it (Linux's VM_ACCOUNT is not set);
 * `noReserve`: and never will be.
 */
export const VMA_FLAG = {
  hugetlb: 1,
  hugepage: 2,
  uffdWp: 4,
  uffdMissing: 8,
  shared: 16,
  ptScan: 32,
  noPtScan: 64,
  noRead: 128,
  noWrite: 256,
  noAccount: 1024,
  noReserve: 2048,
} as const;
