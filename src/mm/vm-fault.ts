/** Outcomes of a fault (Linux's `vm_fault_t`). */

/**
 * Handled; nothing done, the access may be tried again; no memory; no mapping there; the same as
 * `again`, with the mmap or VMA lock already dropped (`VM_FAULT_RETRY`).
 */
export const VM_FAULT = { done: 0, again: 1, oom: 2, sigsegv: 3, retry: 4 } as const;
