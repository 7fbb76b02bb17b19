/**
 * The VMAs as the audit sees them: which addresses are covered, and what is wrong with the map
 * itself.
 */
import { MM, VMA } from '#arena/layout/mm';
import type { Evidence } from './evidence.ts';
import type { Findings } from './verdict.ts';

/** Ranges of pages, sorted: VMA i covers [starts[i], ends[i]). Page numbers take up to 36 bits. */
export interface Coverage {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** Position of the first range that ends after `page`. */
export function firstEndingAfter({ ends }: Coverage, page: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > page) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function coverageOf({ words, map }: Evidence): Coverage {
  const { at, count } = vmaMap(words, map);
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  const ptrs = 2 ** map.geometry.ptrsShift;
  for (let i = 0; i < count; i++) {
    const record = map.vmas + words[at + 1 + i]! * VMA.sizeWords;
    starts[i] = words[record + VMA.startSlot]! * ptrs + words[record + VMA.startIndex]!;
    ends[i] = words[record + VMA.endSlot]! * ptrs + words[record + VMA.endIndex]!;
  }
  return { starts, ends };
}

/**
 * The map is sorted, without overlap, and names exactly the records in use; at exit there are none.
 */
export function auditVmaMap(evidence: Evidence, findings: Findings): void {
  const { words, map, moment } = evidence;
  const { at, count } = vmaMap(words, map);
  const inMap = new Uint8Array(map.geometry.vmas);
  for (let i = 0; i < count; i++) {
    const vma = words[at + 1 + i]!;
    inMap[vma] = 1;
    if (words[map.vmas + vma * VMA.sizeWords + VMA.attached] === 0)
      findings.add('use-after-free', [], () => `the map of VMAs names vma ${vma}, which is gone`);
  }
  const { starts, ends } = coverageOf(evidence);
  for (let i = 0; i < count; i++) {
    if (starts[i]! < ends[i]! && (i === 0 || ends[i - 1]! <= starts[i]!)) continue;
    const vma = words[at + 1 + i]!;
    findings.add(
      'lost-entry',
      [],
      () => `vma ${vma} is empty, or overlaps or precedes the one before it: lookups will miss it`,
    );
  }
  for (let vma = 1; vma < inMap.length; vma++) {
    if (words[map.vmas + vma * VMA.sizeWords + VMA.attached] === 0) continue;
    if (moment === 'exit')
      findings.add('frame-leak', [], () => `vma ${vma} is left after the end of the process`);
    else if (inMap[vma] === 0)
      findings.add('frame-leak', [], () => `vma ${vma} is in use, and the map does not name it`);
  }
}

function vmaMap(words: Evidence['words'], map: Evidence['map']): { at: number; count: number } {
  const at = map.vmaMaps + (words[map.mm + MM.vmaMap]! & 1) * map.vmaMapWords;
  return { at, count: Math.min(Math.max(words[at]!, 0), map.geometry.vmas) };
}
