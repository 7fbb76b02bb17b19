/**
 * What one CPU remembers of the page tables: translations of pages (TLB) and, for the hardware
 * walk, pmd entries (paging-structure cache, PWC). Nothing here looks at a page table: an entry
 * stays until it is flushed or displaced, however stale it is. That is the point.
 *
 * Both are direct mapped and private to the CPU: quiet words of its block.
 */
import { pageAt, ptrsMask, ptrsShift } from '#arena/arena';
import {
  PAGE,
  PAGE_GENERATION_SHIFT,
  PAGE_LOCKED,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { PERCPU, PWC_ENTRY, PWC_SETS, TLB_ENTRY, TLB_SETS } from '#arena/layout/percpu';
import { fill, peek, poke } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { FACT, panic } from '#trace/fact';
import type { Cpu } from './cpu.ts';
import { PMD_NONE, type Pmd } from './pmd.ts';
import { type Pte, pteDirty, ptePfn, pteWrite } from './pte.ts';

/** Pages beyond which a range is not worth flushing one by one (Linux's ceiling is 33). */
const SINGLE_FLUSH_CEILING = 33;

let pwcByRange = false;

/**
 * `byRange`: a flush after which tables go drops what is remembered of its slots only; else all, as
 * on x86.
 */
export function configurePwc(byRange: boolean): void {
  pwcByRange = byRange;
}

/**
 * The page frame that (slot, index) translates to by this CPU's TLB, or 0: no entry, or one that
 * does not allow the access. A store needs the dirty bit set as well, as on hardware.
 */
export function tlbLookup(cpu: Cpu, slot: number, index: number, write: boolean): number {
  const at = tlbAt(cpu, slot, index);
  if (peek(at + TLB_ENTRY.tag) !== tagOf(slot, index)) return 0;
  const value = peek(at + TLB_ENTRY.pte) as Pte;
  if (write && !(pteWrite(value) && pteDirty(value))) return 0;
  const pfn = ptePfn(value);
  const state = peek(pageAt(pfn) + PAGE.state);
  if (state !== peek(at + TLB_ENTRY.page))
    checkTranslation(cpu, slot, index, pfn, state, peek(at + TLB_ENTRY.page));
  return pfn;
}

/** Remembers that (slot, index) translates as `value` says. */
export function tlbFill(cpu: Cpu, slot: number, index: number, value: Pte): void {
  const at = tlbAt(cpu, slot, index);
  poke(at + TLB_ENTRY.tag, tagOf(slot, index));
  poke(at + TLB_ENTRY.pte, value);
  poke(at + TLB_ENTRY.page, peek(pageAt(ptePfn(value)) + PAGE.state));
}

/** The page frame in set `set` of this CPU's TLB (below `TLB_SETS`), or 0: the set is empty. */
export function tlbPfnIn(cpu: Cpu, set: number): number {
  const at = cpu.block + PERCPU.tlb + set * TLB_ENTRY.sizeWords;
  return peek(at + TLB_ENTRY.tag) === 0 ? 0 : ptePfn(peek(at + TLB_ENTRY.pte) as Pte);
}

/** The slot whose translation set `set` holds. */
export function tlbSlotIn(cpu: Cpu, set: number): number {
  return tlbSlotOf(tagIn(cpu, set), ptrsShift());
}

/** The index whose translation set `set` holds. */
export function tlbIndexIn(cpu: Cpu, set: number): number {
  return tlbIndexOf(tagIn(cpu, set), set, ptrsShift());
}

/** The slot that `tag` stands for, where tables have 2^`ptrs` entries. */
export function tlbSlotOf(tag: number, ptrs: number): number {
  return (tag - 1) >>> tagShift(ptrs);
}

/** The index that `tag` in set `set` stands for. */
export function tlbIndexOf(tag: number, set: number, ptrs: number): number {
  const upper = (tag - 1) & ((1 << tagShift(ptrs)) - 1);
  return (upper << 6) | ((set ^ tlbSlotOf(tag, ptrs)) & ((1 << ptrs) - 1) & (TLB_SETS - 1));
}

/** The pmd entry that the hardware remembers for `slot`, or none. */
export function pwcLookup(cpu: Cpu, slot: number): Pmd {
  const at = pwcAt(cpu, slot);
  return (peek(at + PWC_ENTRY.tag) === slot + 1 ? peek(at + PWC_ENTRY.pmd) : PMD_NONE) as Pmd;
}

/** Remembers the pmd entry of `slot`. */
export function pwcFill(cpu: Cpu, slot: number, value: Pmd): void {
  const at = pwcAt(cpu, slot);
  poke(at + PWC_ENTRY.tag, slot + 1);
  poke(at + PWC_ENTRY.pmd, value);
}

/** A fault in `slot` drops what is remembered of it, as on x86. */
export function pwcForget(cpu: Cpu, slot: number): void {
  const at = pwcAt(cpu, slot);
  if (peek(at + PWC_ENTRY.tag) === slot + 1) poke(at + PWC_ENTRY.tag, 0);
}

/** Drops all translations, and all pmd entries. */
export function tlbFlushLocal(cpu: Cpu): void {
  fill(cpu.block + PERCPU.tlb, TLB_SETS * TLB_ENTRY.sizeWords, 0);
  pwcFlushLocal(cpu);
}

/** Drops the translations of [start, end), or all if that is cheaper; the PWC stays. */
export function tlbFlushLocalRange(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const pages = (endSlot - startSlot) * (ptrsMask() + 1) + endIndex - startIndex;
  if (pages > SINGLE_FLUSH_CEILING) {
    fill(cpu.block + PERCPU.tlb, TLB_SETS * TLB_ENTRY.sizeWords, 0);
    return;
  }
  let slot = startSlot;
  let index = startIndex;
  for (let i = 0; i < pages; i++) {
    const at = tlbAt(cpu, slot, index);
    if (peek(at + TLB_ENTRY.tag) === tagOf(slot, index)) poke(at + TLB_ENTRY.tag, 0);
    index = (index + 1) & ptrsMask();
    if (index === 0) slot++;
  }
}

/** Drops all remembered pmd entries. */
export function pwcFlushLocal(cpu: Cpu): void {
  fill(cpu.block + PERCPU.pwc, PWC_SETS * PWC_ENTRY.sizeWords, 0);
}

/** Drops the pmd entries remembered of [startSlot, endSlot), or all where hardware does no less. */
export function pwcFlushLocalRange(cpu: Cpu, startSlot: number, endSlot: number): void {
  if (!pwcByRange) {
    pwcFlushLocal(cpu);
    return;
  }
  for (let set = 0; set < PWC_SETS; set++) {
    const tagp = cpu.block + PERCPU.pwc + set * PWC_ENTRY.sizeWords + PWC_ENTRY.tag;
    const slot = peek(tagp) - 1;
    if (slot >= startSlot && slot < endSlot) poke(tagp, 0);
  }
}

/**
 * The page is not in the state in which the walk found it. Unmapped, but not yet let go: a stale
 * translation may still be used until the flush. (Reclaim keeps what it swaps out locked until
 * then.) Anything else was freed under this CPU's feet.
 */
function checkTranslation(
  cpu: Cpu,
  slot: number,
  index: number,
  pfn: number,
  state: number,
  filled: number,
): void {
  const sameLife = state >>> PAGE_GENERATION_SHIFT === filled >>> PAGE_GENERATION_SHIFT;
  const is = state & PAGE_STATE_MASK;
  const swappedOut = is === PAGE_STATE.swapped && (state & PAGE_LOCKED) === 0;
  if (!sameLife || is === PAGE_STATE.free || swappedOut)
    panic(cpu, FACT.staleTranslation, slot, index, pfn, filled, state);
  if (is !== PAGE_STATE.mapped) count(cpu, COUNTER.tlbStaleAlive, 1);
}

/** Neighbouring slots that are touched at one index each do not displace each other. */
function tlbAt(cpu: Cpu, slot: number, index: number): number {
  const set = (index ^ slot) & ptrsMask() & (TLB_SETS - 1);
  return cpu.block + PERCPU.tlb + set * TLB_ENTRY.sizeWords;
}

/** Never 0. With the number of the set, slot and index follow from it. */
function tagOf(slot: number, index: number): number {
  return ((slot << tagShift(ptrsShift())) | (index >>> 6)) + 1;
}

function tagIn(cpu: Cpu, set: number): number {
  return peek(cpu.block + PERCPU.tlb + set * TLB_ENTRY.sizeWords + TLB_ENTRY.tag);
}

/** Bits of the index that a set's number does not tell. */
function tagShift(ptrs: number): number {
  return ptrs > 6 ? ptrs - 6 : 0;
}

function pwcAt(cpu: Cpu, slot: number): number {
  return cpu.block + PERCPU.pwc + (slot & (PWC_SETS - 1)) * PWC_ENTRY.sizeWords;
}
