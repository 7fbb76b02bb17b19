/**
 * Double free: by the facts, a frame was freed or unhooked that was free or unhooked already. By
 * the audit, a free list is corrupt, names a frame twice or one that is in use, or a table or body
 * has two places.
 */

import { type Pmd, pmdTable } from '#arch/pmd';
import { PAGE, PAGE_DESC_SHIFT, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { FRAME, FRAME_STATE_MASK, PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import type { FreeFrames } from './free-frames.ts';
import { frameText, recalled, tableByNumber, tableName, whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

const PAGE_STATES = Object.keys(PAGE_STATE);

/** Words: 0 table / 1 page / 2 body, its number, state word found, 1 if it was to be unhooked. */
export function doubleFree(evidence: Evidence, fact: Fact): Verdict {
  const { a: what, b: number, c: state, d: isUnhook } = fact;
  const act = isUnhook === 1 ? 'was about to unhook' : 'was about to free';
  let object = `body ${number}`;
  if (what === 0) {
    const found = `${frameText(evidence.map, state)}${recalled(evidence, number)}`;
    object = `${tableByNumber(evidence, number)} and found it ${found}`;
  } else if (what === 1) {
    object = `page ${number} and found it ${PAGE_STATES[state & PAGE_STATE_MASK]}`;
  }
  return verdict('double-free', [fact.cpu], `${whoNoted(fact)} ${act} ${object}`);
}

export function auditDoubleFree(audit: Audit, findings: Findings): void {
  const { evidence, tree, tables, bodies, pages } = audit;
  const { words, map } = evidence;
  for (const list of [tables, bodies, pages]) auditList(list, findings);
  for (let table = tables.first; table < tables.fresh; table++) {
    if (tables.listed[table] === 0) continue;
    const state = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
    if ((state & FRAME_STATE_MASK) !== FRAME.free)
      findings.add('double-free', [], () => {
        const name = tableByNumber(evidence, table);
        return `${name} is listed as free, and is ${frameText(map, state)}`;
      });
  }
  for (let body = bodies.first; body < bodies.fresh; body++) {
    if (bodies.listed[body] !== 0 && tree.bodies[body] !== 0)
      findings.add('double-free', [], () => `body ${body} is listed as free, and in use`);
  }
  for (let pfn = pages.first; pfn < pages.fresh; pfn++) {
    if (pages.listed[pfn] === 0) continue;
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]! & PAGE_STATE_MASK;
    if (state !== PAGE_STATE.free)
      findings.add(
        'double-free',
        [],
        () => `page ${pfn} is listed as free, and is ${PAGE_STATES[state]}`,
      );
  }
  auditPlaces(audit, findings);
}

function auditList({ noun, first, fresh, listed, faults }: FreeFrames, findings: Findings): void {
  for (const fault of faults) findings.add('double-free', [], () => fault);
  for (let frame = first; frame < fresh; frame++) {
    if (listed[frame]! > 1)
      findings.add('double-free', [], () => `${noun} ${frame} is free ${listed[frame]} times over`);
  }
}

/** A table hooked twice, and a body of two tables, will be freed twice. */
function auditPlaces({ evidence, tree }: Audit, findings: Findings): void {
  const { map } = evidence;
  for (const { what, table, level, entry, slot } of tree.misfits) {
    if (what === 'twice') {
      const child = pmdTable(entry as Pmd);
      const places = `at slot ${tree.slots[child]} and at slot ${slot}`;
      findings.add(
        'double-free',
        [],
        () => `${tableByNumber(evidence, child)} is hooked ${places}`,
      );
    } else if (what === 'body-twice') {
      const name = tableName(map, level, table);
      findings.add('double-free', [], () => `body ${entry} of ${name} is another table's as well`);
    }
  }
}
