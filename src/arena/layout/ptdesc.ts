/**
 * The descriptor of a table frame (Linux's `ptdesc`): 16 bytes, all that an empty PTE table costs
 * in on-demand backing.
 *
 *     ptl    lock word of this table's own split lock
 *     state  bits 0-1 frame state, 2-6 low bits of the generation, 7-8 level, 9-31 more generation
 *     body   index of the body that holds the entries; 0 is the body that is always empty
 *     use    while a table: bits 0-9 entries that are not none, 10-15 last changer's actor,
 *            16-23 its CPU, 24-31 low bits of its operation number; while free: next free table
 *
 * State and low generation bits stand where a pmd entry has its type and generation (arch/pmd.ts),
 * so that one exclusive-or tells whether a pmd value still means this table.
 */
import { struct } from './struct.ts';

export const PTDESC = struct({ ptl: 1, state: 1, body: 1, use: 1 });
/** `PTDESC.sizeWords` is `1 << PTDESC_SHIFT`. */
export const PTDESC_SHIFT = 2;

/** Frame states. A zeroed arena is all FREE. */
export const FRAME = { free: 0, table: 1, unhooked: 2, reserved: 3 } as const;

/** What a freed body is filled with: no valid entry of any level. */
export const POISON = 0x5a5a5a5c;

export const FRAME_STATE_MASK = 0x3;
/** State and low generation bits: what a pmd entry repeats. */
export const FRAME_IDENTITY_MASK = 0x7f;
export const FRAME_LEVEL_SHIFT = 7;
export const FRAME_LEVEL_MASK = 0x3;
export const FRAME_GENERATION_LOW_SHIFT = 2;
export const FRAME_GENERATION_LOW_BITS = 5;
export const FRAME_GENERATION_HIGH_SHIFT = 9;

export const USE_COUNT_MASK = 0x3ff;
export const USE_ACTOR_SHIFT = 10;
export const USE_ACTOR_MASK = 0x3f;
export const USE_CPU_SHIFT = 16;
export const USE_CPU_MASK = 0xff;
export const USE_OPERATION_SHIFT = 24;
export const USE_OPERATION_MASK = 0xff;

/** The state word of a table frame; `generation` counts how often the frame has been allocated. */
export function frameState(state: number, level: number, generation: number): number {
  const low = generation & ((1 << FRAME_GENERATION_LOW_BITS) - 1);
  const high = generation >>> FRAME_GENERATION_LOW_BITS;
  return (
    state |
    (low << FRAME_GENERATION_LOW_SHIFT) |
    (level << FRAME_LEVEL_SHIFT) |
    (high << FRAME_GENERATION_HIGH_SHIFT)
  );
}

export function frameStateOf(word: number): number {
  return word & FRAME_STATE_MASK;
}

export function frameLevelOf(word: number): number {
  return (word >>> FRAME_LEVEL_SHIFT) & FRAME_LEVEL_MASK;
}

export function frameGenerationOf(word: number): number {
  const low = (word >>> FRAME_GENERATION_LOW_SHIFT) & ((1 << FRAME_GENERATION_LOW_BITS) - 1);
  return ((word >>> FRAME_GENERATION_HIGH_SHIFT) << FRAME_GENERATION_LOW_BITS) | low;
}
