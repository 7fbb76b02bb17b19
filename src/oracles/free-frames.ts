/**
 * The free lists as the audit reads them: a shared list linked through the frames, and a cache per
 * CPU. Every free frame is in one of them exactly once.
 */
import { CONTROL } from '#arena/layout/control';
import { PAGE, PAGE_DESC_SHIFT } from '#arena/layout/page';
import { FREE_CACHE_MAX, PERCPU } from '#arena/layout/percpu';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import { blockOf, type Evidence, type Frames, framesOf } from './evidence.ts';

export interface FreeFrames extends Frames {
  /** How often each frame is listed. */
  readonly listed: Uint8Array;
  /** What is wrong with the lists themselves, in words. */
  readonly faults: readonly string[];
}

export function freeFramesOf(evidence: Evidence, noun: Frames['noun']): FreeFrames {
  const frames = framesOf(evidence, noun);
  const listed = new Uint8Array(frames.fresh);
  const faults: string[] = [];
  if (!frames.isFreshLegal) faults.push(`the first ${noun} never handed out has no legal number`);
  readSharedList(evidence, frames, listed, faults);
  readCaches(evidence, frames, listed, faults);
  return { ...frames, listed, faults };
}

function readSharedList(
  { words, map }: Evidence,
  { noun, first, fresh }: Frames,
  listed: Uint8Array,
  faults: string[],
): void {
  const { head, link, shift } = {
    table: { head: CONTROL.tableHead, link: map.ptdescs + PTDESC.use, shift: PTDESC_SHIFT },
    body: { head: CONTROL.bodyHead, link: map.owners, shift: 0 },
    page: { head: CONTROL.zoneHead, link: map.pages + PAGE.content, shift: PAGE_DESC_SHIFT },
  }[noun];
  let before = 0;
  for (let frame = words[head]!; frame !== 0; frame = words[link + (frame << shift)]!) {
    const after = before === 0 ? 'begins with' : `goes on after ${noun} ${before} with`;
    if (frame < first || frame >= fresh) {
      faults.push(`the list of free frames ${after} ${noun} ${frame}, which does not exist`);
      return;
    }
    if (listed[frame] !== 0) {
      faults.push(`the list of free frames ${after} ${noun} ${frame}, which it has named before`);
      return;
    }
    listed[frame] = 1;
    before = frame;
  }
}

function readCaches(
  { words, map }: Evidence,
  { noun, first, fresh }: Frames,
  listed: Uint8Array,
  faults: string[],
): void {
  const { count, cache, room } = {
    table: { count: PERCPU.tableCount, cache: PERCPU.tables, room: FREE_CACHE_MAX },
    body: { count: PERCPU.bodyCount, cache: PERCPU.bodies, room: FREE_CACHE_MAX },
    page: { count: PERCPU.pageCount, cache: map.pcp, room: 2 * map.geometry.batch },
  }[noun];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = blockOf(map, cpu);
    const cached = words[block + count]!;
    if (cached < 0 || cached > room)
      faults.push(
        `cpu${cpu} counts ${cached} cached frames of kind ${noun}, with room for ${room}`,
      );
    for (let i = 0; i < Math.min(cached, room); i++) {
      const frame = words[block + cache + i]!;
      if (frame < first || frame >= fresh)
        faults.push(`cpu${cpu} has ${noun} ${frame} in its cache, which does not exist`);
      else if (listed[frame]! < 255) listed[frame]!++;
    }
  }
}
