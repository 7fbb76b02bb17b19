/** The schemas of what was sampled in the course of a run. */
import { z } from 'zod';
import { amount, count } from './document.ts';

const counts = z.array(count);

export const occupancy = z.object({
  slotKiB: amount,
  slotsPerBucket: z.int().positive(),
  slotStep: z.int().positive(),
  spans: z.array(z.object({ name: z.string(), firstSlot: count, slots: count, buckets: count })),
  samples: z.array(
    z.object({ ms: amount, live: counts, empty: counts, unhooked: counts, unplaced: count }),
  ),
});

/** Place in one of the lists, or -1. */
const place = z.int().min(-1);

const latest = z.object({
  endMs: amount,
  us: amount,
  columns: z.array(
    z.object({
      cpu: count,
      role: z.string(),
      operations: z.array(z.tuple([place, amount, amount.nullable()])),
      tables: z.array(z.tuple([count, amount, count])),
    }),
  ),
});

export const timeline = z.object({
  acts: z.array(z.string()),
  actors: z.array(z.string()),
  events: z.array(z.string()),
  samples: z.array(
    z.object({ ms: amount, act: z.array(place), actor: z.array(place), waits: counts }),
  ),
  latest: latest.nullable(),
});
