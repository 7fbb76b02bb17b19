/**
 * Races of the percpu reference counts of April 2022 (series "Try to free user PTE page table
 * pages", Qi Zheng), most of them flaws that no reviewer raised.
 */
import type { BrokenVersion } from './broken-version.ts';

export const PERCPU_REFCOUNT: readonly BrokenVersion[] = [];
