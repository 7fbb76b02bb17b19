/** What the process that executes plans on the live kernel is asked, and what it answers. */
import type { Op } from '#scenario/plan';
import type { Batch, Readings } from './peer.ts';

/** Where the regions of a plan are: their first pages and lengths, in pages. */
export interface Layout {
  /** Whether no memory is to be set aside for them. */
  readonly noReserve: readonly boolean[];
  readonly starts: readonly number[];
  readonly pages: readonly number[];
}

/** Each in an empty address space of that layout. */
export type Request =
  | { readonly ask: 'run'; readonly layout: Layout; readonly batch: Batch }
  | {
      readonly ask: 'race';
      readonly layout: Layout;
      readonly setup: readonly Op[];
      /** Linear operations of each thread. */
      readonly columns: readonly (readonly Op[])[];
    };

/** `ready`: once, at the beginning; `failed`: the process cannot go on. */
export type Reply =
  | { readonly answer: 'ready' }
  | ({ readonly answer: 'readings' } & Readings)
  | { readonly answer: 'failed'; readonly why: string };
