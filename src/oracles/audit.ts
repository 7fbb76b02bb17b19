/**
 * What the judges of the arena at rest look at together: one walk of the tree, and the free lists
 * once.
 */
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
  /** Callbacks that have not run; frames may be waiting in them. */
  readonly callbacks: number;
}

/** Judges the arena at rest: at `fair` or `exit`. */
export type AuditJudge = (audit: Audit, findings: Findings) => void;

export function beginAudit(evidence: Evidence): Audit {
  const { words, map } = evidence;
  let callbacks = 0;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) callbacks += callbacksPending(words, map, cpu);
  return {
    evidence,
    tree: walkTree(evidence, coverageOf(evidence)),
    tables: freeFramesOf(evidence, 'table'),
    bodies: freeFramesOf(evidence, 'body'),
    pages: freeFramesOf(evidence, 'page'),
    callbacks,
  };
}
