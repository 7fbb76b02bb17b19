/**
 * Leaks: every frame that has ever been handed out is free and in a free list, or the tree reaches
 * it. What is neither has been forgotten by somebody on its way (unhooked and never freed,
 * allocated and never hooked).
 */
import { PAGE, PAGE_DESC_SHIFT, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { FRAME, frameLevelOf, frameStateOf, PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import { changerCpu, changerText, frameText, recalled, tableName } from './naming.ts';
import type { Findings } from './verdict.ts';

const PAGE_STATES = Object.keys(PAGE_STATE);

export function auditLeaks(audit: Audit, findings: Findings): void {
  leakedTables(audit, findings);
  leakedBodies(audit, findings);
  leakedPages(audit, findings);
  const { map } = audit.evidence;
  for (const { what, table, level, slot } of audit.tree.misfits) {
    if (what !== 'stray-table') continue;
    const name = tableName(map, level, table);
    findings.add('frame-leak', [], () => `${name} is hooked at slot ${slot}, where no vma is left`);
  }
}

function leakedTables({ evidence, tree, tables, callbacks }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  for (let table = tables.first; table < tables.fresh; table++) {
    if (tree.tables[table] !== 0 || tables.listed[table] !== 0) continue;
    const at = map.ptdescs + (table << PTDESC_SHIFT);
    const state = words[at + PTDESC.state]!;
    const frame = frameStateOf(state);
    if (frame === FRAME.free && tables.faults.length > 0) continue;
    if (frame === FRAME.table && !tree.isComplete) continue;
    // It may be waiting for its callback; that these have not run is another finding.
    if (frame === FRAME.unhooked && callbacks !== 0) continue;
    const level = frameLevelOf(state);
    const use = level === 0 && frame !== FRAME.free ? words[at + PTDESC.use]! : 0;
    findings.add('frame-leak', use === 0 ? [] : [changerCpu(use)], () => {
      const by = use === 0 ? '' : `, last changed by ${changerText(use)}`;
      const found = `${frameText(map, state)}${by}`;
      const name = tableName(map, level, table);
      return `${name} is ${found}, neither hooked nor listed as free${recalled(evidence, table)}`;
    });
  }
}

/** A body has no state: it belongs to a table that the tree reaches, or it is listed. */
function leakedBodies(audit: Audit, findings: Findings): void {
  const { evidence, tree, bodies, callbacks } = audit;
  if (!tree.isComplete || callbacks !== 0 || bodies.faults.length > 0) return;
  const { words, map } = evidence;
  for (let body = bodies.first; body < bodies.fresh; body++) {
    if (tree.bodies[body] !== 0 || bodies.listed[body] !== 0) continue;
    const owner = words[map.owners + body]!;
    // The body of a table that is leaked itself says nothing new.
    if (isLost(audit, owner)) continue;
    findings.add(
      'frame-leak',
      [],
      () => `body ${body}, once of table ${owner}, is neither in use nor listed as free`,
    );
  }
}

/** Whether table `owner` is a leak of its own. */
function isLost({ evidence, tree }: Audit, owner: number): boolean {
  if (owner <= 0 || owner >= tree.tables.length || tree.tables[owner] !== 0) return false;
  const at = evidence.map.ptdescs + (owner << PTDESC_SHIFT);
  return frameStateOf(evidence.words[at + PTDESC.state]!) !== FRAME.free;
}

function leakedPages({ evidence, tree, pages }: Audit, findings: Findings): void {
  const { words, map, moment } = evidence;
  for (let pfn = pages.first; pfn < pages.fresh; pfn++) {
    if (tree.pages[pfn] !== 0 || tree.swaps[pfn] !== 0 || pages.listed[pfn] !== 0) continue;
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]! & PAGE_STATE_MASK;
    if (state === PAGE_STATE.free && pages.faults.length > 0) continue;
    // While the address space is mapped, that is a wrong mapcount.
    const isInUse = state === PAGE_STATE.mapped || state === PAGE_STATE.swapped;
    if (isInUse && moment === 'fair') continue;
    findings.add(
      'frame-leak',
      [],
      () => `page ${pfn} is ${PAGE_STATES[state]}, neither mapped nor listed as free`,
    );
  }
}
