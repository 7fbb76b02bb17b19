/** What the process that executes plans on the live kernel is asked, and what it answers. */
import type { Reading } from '#result/reading';
import type { Op } from '#scenario/plan';
import type { Batch } from './peer.ts';

/** Where the regions of a plan are: their first pages and lengths, in pages. */
export interface Layout {
  /** Whether no memory is to be set aside for them. */
  readonly noReserve: readonly boolean[];
  readonly starts: readonly number[];
  readonly pages: readonly number[];
}

export type Request =
  | { readonly ask: 'begin'; readonly layout: Layout }
  | { readonly ask: 'run'; readonly batch: Batch }
  | {
      readonly ask: 'race';
      readonly setup: readonly Op[];
      /** Linear operations of each thread. */
      readonly columns: readonly (readonly Op[])[];
    }
  | { readonly ask: 'end' };

/** `failed`: the process cannot go on. */
export type Reply =
  | { readonly answer: 'begun' }
  | { readonly answer: 'readings'; readonly readings: readonly Reading[] }
  | { readonly answer: 'ended'; readonly clean: boolean }
  | { readonly answer: 'failed'; readonly why: string };
