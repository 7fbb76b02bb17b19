/**
 * What the judges of the arena at rest look at together: one walk of the tree, and the free lists
 * once.
 */
import { PAGE, PAGE_DESC_SHIFT, PAGE_LOCKED, PAGE_REFERENCES_MASK } from '#arena/layout/page';
import { callbacksPending, type Evidence } from './evidence.ts';
import { type FreeFrames, freeFramesOf } from './free-frames.ts';
import { type Tree, walkTree } from './tree.ts';
import type { Findings } from './verdict.ts';
import { coverageOf } from './vma-map.ts';

export interface Audit {
  readonly evidence: Evidence;
  readonly tree: Tree;
  readonly tables: FreeFrames;
  readonly bodies: FreeFrames;
  readonly pages: FreeFrames;
  /** Pages that are locked, or to which there are references. */
  readonly heldPages: readonly number[];
  /** Callbacks that have not run; frames may be waiting in them. */
  readonly callbacks: number;
}

/** Judges the arena at rest: at `fair` or `exit`. */
export type AuditJudge = (audit: Audit, findings: Findings) => void;

export function beginAudit(evidence: Evidence): Audit {
  const { words, map } = evidence;
  let callbacks = 0;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) callbacks += callbacksPending(words, map, cpu);
  const pages = freeFramesOf(evidence, 'page');
  return {
    evidence,
    tree: walkTree(evidence, coverageOf(evidence)),
    tables: freeFramesOf(evidence, 'table'),
    bodies: freeFramesOf(evidence, 'body'),
    pages,
    heldPages: heldPagesOf(evidence, pages),
    callbacks,
  };
}

function heldPagesOf({ words, map }: Evidence, { first, fresh }: FreeFrames): number[] {
  const held: number[] = [];
  const states = map.pages + PAGE.state;
  const shift = PAGE_DESC_SHIFT;
  const bits = PAGE_LOCKED | PAGE_REFERENCES_MASK;
  for (let pfn = first; pfn < fresh; pfn++)
    if ((words[states + (pfn << shift)]! & bits) !== 0) held.push(pfn);
  return held;
}
