/**
 * Linear operations written again: as a scenario file has them, and in a few words for a history.
 */

import type { OpMap } from './op-schema.ts';
import type { Op, PageSpan, Plan } from './plan.ts';

/** The operation as a mapping of a scenario file. It must be linear: its extent is a span. */
export function writtenOp(op: Op, regions: Plan['regions']): OpMap {
  if (!('region' in op)) throw new Error(`"${op.op}" is not of a region`);
  const region = regions[op.region]!.name;
  if (op.op === 'brk') return { brk: { region, pages: op.pages } };
  const place = { region, ...spanOf(op) };
  switch (op.op) {
    case 'mmap':
      return { mmap: { ...place, protection: op.protection } };
    case 'mprotect':
      return { mprotect: { ...place, protection: op.protection } };
    case 'mremap': {
      const to = op.to === null ? {} : { to: op.to };
      return { mremap: { ...place, ...to, newPages: op.newPages } };
    }
    case 'touch':
      return { touch: { ...place, access: op.access } };
    case 'madvise':
      return { madvise: { ...place, advice: op.advice } };
    case 'walk':
      return { walk: { ...place, walker: op.walker } };
    case 'munmap':
    case 'dontneed':
    case 'reclaim':
      return { [op.op]: place };
    default:
      throw new Error(`"${op.op}" is not written so`);
  }
}

/** The operation in a few words: `touch write heap 0+512`. */
export function showOp(op: Op, regions: Plan['regions']): string {
  const words: (string | number)[] = [op.op];
  if ('access' in op) words.push(op.access);
  if ('advice' in op) words.push(op.advice);
  if ('walker' in op) words.push(op.walker);
  if ('protection' in op) words.push(op.protection);
  if ('region' in op) words.push(regions[op.region]!.name);
  if (op.op === 'brk') words.push(op.pages);
  else if ('extent' in op) {
    const { page, pages } = spanOf(op);
    words.push(`${page}+${pages}`);
  }
  if (op.op === 'mremap')
    words.push(op.to === null ? `to ${op.newPages} pages` : `to ${op.to}+${op.newPages}`);
  return words.join(' ');
}

function spanOf(op: Op): PageSpan {
  const extent = 'extent' in op ? op.extent : 'nothing';
  if (typeof extent !== 'object') throw new Error(`"${op.op}" names no pages`);
  return extent;
}
