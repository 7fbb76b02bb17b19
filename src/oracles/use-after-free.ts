/**
 * Use after free: by the facts, a walker followed an entry into a frame that had been freed or
 * recycled, or a page was not what its user took it for. By the audit, an entry still leads to such
 * a frame, or a free body has been written to.
 */

import type { Pmd } from '#arch/pmd';
import { pmdTable } from '#arch/pmd';
import {
  PAGE,
  PAGE_DESC_SHIFT,
  PAGE_REFERENCE,
  PAGE_REFERENCES_MASK,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import {
  FRAME_GENERATION_LOW_BITS,
  FRAME_GENERATION_LOW_SHIFT,
  PTDESC,
  PTDESC_SHIFT,
} from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import { findMapping } from './find-mapping.ts';
import {
  addressText,
  frameText,
  hex,
  pageText,
  recalled,
  tableByNumber,
  tableName,
  whoNoted,
} from './naming.ts';
import type { Misfit } from './tree.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

const PAGE_STATES = Object.keys(PAGE_STATE);
const GENERATIONS = 1 << FRAME_GENERATION_LOW_BITS;

/**
 * A frame was not the live table that an entry had said. `d` is that entry, or -1 at an allocation.
 */
export function frameMismatch(evidence: Evidence, fact: Fact): Verdict {
  const { a: table, b: state, c: level, d: entry } = fact;
  const { map } = evidence;
  const found = `${frameText(map, state)}${recalled(evidence, table)}`;
  const expected = (entry >>> FRAME_GENERATION_LOW_SHIFT) & (GENERATIONS - 1);
  const message =
    entry === -1
      ? `${whoNoted(fact)} took table ${table} from the free frames and found it ${found}`
      : `${whoNoted(fact)} followed an entry to ${tableName(map, level, table)}, generation ` +
        `${expected} modulo ${GENERATIONS}, and found it ${found}`;
  return verdict('use-after-free', [fact.cpu], message);
}

export function pageMismatch(_: Evidence, fact: Fact): Verdict {
  const { a: pfn, b: state, c: expected } = fact;
  const references = (state & PAGE_REFERENCES_MASK) / PAGE_REFERENCE;
  const counted = references === 0 ? '' : ` (with ${references} references)`;
  const found = `${PAGE_STATES[state & PAGE_STATE_MASK]}${counted}`;
  return verdict(
    'use-after-free',
    [fact.cpu],
    `${whoNoted(fact)} found page ${pfn} ${found} where it should be ${PAGE_STATES[expected]}`,
  );
}

/** Words: pfn, state word found, life in which the page was found. */
export function pageReused(_: Evidence, fact: Fact): Verdict {
  const { a: pfn, b: state, c: life } = fact;
  return verdict(
    'use-after-free',
    [fact.cpu],
    `${whoNoted(fact)} holds a reference to page ${pfn}, which it found in life ${life}, ` +
      `and which is ${pageText(state)} by now`,
  );
}

/** Words: VMA, its first slot. */
export function vmaGone(_: Evidence, fact: Fact): Verdict {
  const { a: vma, b: slot } = fact;
  return verdict(
    'use-after-free',
    [fact.cpu],
    `${whoNoted(fact)} goes by VMA ${vma}, which began at slot ${slot} and is in the map no more`,
  );
}

export function auditUseAfterFree(audit: Audit, findings: Findings): void {
  const { evidence, tree, bodies } = audit;
  for (const misfit of tree.misfits) {
    const says = sentence(audit, misfit);
    if (says !== null) findings.add('use-after-free', [], says);
  }
  auditPages(audit, findings);
  const { words, map } = evidence;
  const shift = map.geometry.ptrsShift;
  // A free body is filled with one word, whichever: any other was written after the fill.
  for (let body = bodies.first; body < bodies.fresh; body++) {
    if (bodies.listed[body] === 0 || tree.bodies[body] !== 0) continue;
    const first = map.bodies + (body << shift);
    const end = first + (1 << shift);
    const poison = words[end - 1]!;
    for (let at = first; at < end; at++) {
      if (words[at] === poison) continue;
      const what = `free body ${body} was written to: entry ${at - first} of it holds`;
      findings.add('use-after-free', [], () => `${what} ${hex(words[at]!)}`);
      break;
    }
  }
}

function auditPages({ evidence, tree, pages }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  for (let pfn = pages.first; pfn < pages.fresh; pfn++) {
    if (tree.pages[pfn] === 0 && tree.swaps[pfn] === 0) continue;
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]!;
    if ((state & PAGE_STATE_MASK) === PAGE_STATE.free)
      findings.add(
        'use-after-free',
        [],
        () => `page ${pfn} is free, and ${findMapping(evidence, tree, pfn)}`,
      );
  }
}

function sentence(audit: Audit, misfit: Misfit): (() => string) | null {
  const { evidence, tables, bodies } = audit;
  const { words, map } = evidence;
  const { what, table, level, index, entry, slot } = misfit;
  const holder = `entry ${index} of ${tableName(map, level, table)}`;
  switch (what) {
    case 'pgd':
      return () => `table ${table}, the mm's pgd, is ${frameText(map, entry)}`;
    case 'upper':
      return () => `${holder} holds ${hex(entry)}, which is neither none nor a table`;
    case 'beyond':
      return level === 0
        ? () => `${addressText(map, slot, index)} names a page never handed out: ${hex(entry)}`
        : () => `${holder} names table ${pmdTable(entry as Pmd)}, which was never handed out`;
    case 'kind':
      return () => `${addressText(map, slot, index)} holds ${hex(entry)}, which is no entry`;
    case 'frame':
      return () => {
        const child = pmdTable(entry as Pmd);
        const state = words[map.ptdescs + (child << PTDESC_SHIFT) + PTDESC.state]!;
        const found = `${frameText(map, state)}${recalled(evidence, child)}`;
        return `${holder} holds ${hex(entry)}, and ${tableByNumber(evidence, child)} is ${found}`;
      };
    case 'body':
      if (entry <= 0 || entry >= bodies.fresh)
        return () => `${tableName(map, level, table)} has body ${entry}, which does not exist`;
      if (bodies.listed[entry] !== 0 || tables.listed[table] !== 0) return null;
      return () => {
        const owner = words[map.owners + entry];
        return `body ${entry} of ${tableName(map, level, table)} says it is table ${owner}'s`;
      };
    default:
      return null;
  }
}
