/**
 * A machine of one CPU on this thread, which does operations when it is told to and can be read in
 * between. It has no kernel threads, and runs the form that has a gate, living or broken.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmd, pmdTable, pmdTablePresent } from '#arch/pmd';
import { PTE_KIND, type Pte, pteKind, ptePresent } from '#arch/pte';
import { MM } from '#arena/layout/mm';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import { type ArenaMap, arenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { type Reading, showPresent } from '#result/reading';
import type { Op, PageSpan, Plan } from '#scenario/plan';
import type * as Entry from '#tasks/entry';
import type { Task } from '#tasks/task';
import { counter, rssKiB, vmpteKiB } from './harvest.ts';
import { sizeMachine, VMAS_MAX } from './size.ts';
import { livingEntry } from './threads.ts';

/** The part of an entry module (tasks/entry) that is used here. */
type Tree = Pick<typeof Entry, 'bindMachine' | 'bootAlone' | 'doAlone' | 'makeCpu'>;

export class LoneMachine {
  private readonly tree: Tree;
  private buffer = new SharedArrayBuffer(0);
  private words: Words = new Int32Array(new SharedArrayBuffer(0));
  private map: ArenaMap | null = null;
  private lone: { readonly cpu: Cpu; readonly task: Task } | null = null;
  private vmpteAtStart = 0;
  private halted = false;

  private constructor(tree: Tree) {
    this.tree = tree;
  }

  /** `entry`: URL of the module to run (tasks/entry); the living build's if left out. */
  static async load(entry: string = livingEntry(true)): Promise<LoneMachine> {
    return new LoneMachine(await import(entry));
  }

  /** Boots the machine that `plan` describes, afresh. */
  boot(plan: Plan): void {
    const geometry = { ...sizeMachine(plan), vmas: VMAS_MAX };
    const map = arenaMap(geometry);
    if (this.buffer.byteLength < 4 * map.sizeWords)
      this.buffer = new SharedArrayBuffer(4 * map.sizeWords);
    else this.words.fill(0);
    this.words = new Int32Array(this.buffer, 0, map.sizeWords);
    this.map = map;
    this.halted = false;
    const machine = this.tree.bindMachine(this.buffer, geometry, plan, 0);
    const cpu = this.tree.makeCpu(0, plan.seed);
    this.lone = { cpu, task: this.tree.bootAlone(cpu, machine) };
    this.vmpteAtStart = vmpteKiB(this.words, map);
  }

  /** False: the machine has halted, on something that an oracle would name. */
  do(ops: readonly Op[]): boolean {
    const { cpu, task } = this.lone!;
    if (!this.halted) this.halted = this.tree.doAlone(cpu, task, ops) === 'halted';
    return !this.halted;
  }

  read(watched: readonly PageSpan[]): Reading {
    const map = this.map!;
    return {
      vmpteKiB: vmpteKiB(this.words, map) - this.vmpteAtStart,
      rssKiB: rssKiB(this.words, map),
      refused: counter(this.words, map, 'segv'),
      present: watched.map(({ page, pages }) =>
        showPresent(pages, (i) => isPresent(this.words, map, page + i)),
      ),
    };
  }
}

/**
 * Whether page number `page` of the address space has an entry that Linux calls present: one that
 * mprotect has taken all access from counts.
 */
function isPresent(words: Words, map: ArenaMap, page: number): boolean {
  const { levels, ptrsShift } = map.geometry;
  const ptrs = 2 ** ptrsShift;
  let table = words[map.mm + MM.pgd]!;
  for (let level = levels - 1; ; level--) {
    const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
    const index = Math.floor(page / ptrs ** level) % ptrs;
    const entry = words[map.bodies + (body << ptrsShift) + index]!;
    if (level === 0) return ptePresent(entry as Pte) || pteKind(entry as Pte) === PTE_KIND.protNone;
    if (!pmdTablePresent(entry as Pmd)) return false;
    table = pmdTable(entry as Pmd);
  }
}
