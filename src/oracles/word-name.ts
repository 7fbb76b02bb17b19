/**
 * Names for words of the arena and for what they hold: `pmd[3]`, `pte[2] of table 7`, `ptl of table
 * 7 (gen 2)`; `none`, `table 7`, `page 12 (write, dirty)`. As the arena stands at the moment.
 */
import { type Pmd, pmdNone, pmdTable, pmdTablePresent } from '#arch/pmd';
import {
  MARKER,
  PTE_KIND,
  type Pte,
  pteDirty,
  pteKind,
  pteNone,
  ptePfn,
  ptePresent,
  pteUffdWp,
  pteWrite,
  pteZeroPage,
} from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { PAGE, PAGE_DESC_SHIFT } from '#arena/layout/page';
import { MCS_NODE, PERCPU } from '#arena/layout/percpu';
import { REF } from '#arena/layout/percpu-ref';
import {
  FRAME,
  FRAME_IDENTITY_MASK,
  frameGenerationOf,
  frameLevelOf,
  frameStateOf,
  POISON,
  PTDESC,
  PTDESC_SHIFT,
} from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { blockOf } from './evidence.ts';
import { lockName } from './naming.ts';

/** `pmd` is an entry of any upper table. */
export type WordKind =
  | 'pmd'
  | 'pte'
  | 'lock'
  | 'page'
  | 'ipi'
  | 'tlb'
  | 'rcu'
  | 'count'
  | 'torture'
  | 'other';

export interface NamedWord {
  readonly kind: WordKind;
  readonly name: string;
  /** Table and index of an entry, or table of a lock; page; CPU. -1: none. */
  readonly table: number;
  readonly index: number;
  readonly page: number;
  readonly cpu: number;
}

const TORTURE_WORDS = CONTROL.sleepers - CONTROL.torture;
/** The words of a reference count, by their places. */
const REF_FIELDS = ['count', 'mode', 'switch', 'switch lock'];
const NOTHING = { table: -1, index: -1, page: -1, cpu: -1 };

/** What the word at `at` is. */
export function nameWord(words: Words, map: ArenaMap, at: number): NamedWord {
  return (
    nameEntry(words, map, at) ??
    nameDescriptor(words, map, at) ??
    nameCount(words, map, at) ??
    nameShared(words, map, at) ??
    nameOfCpu(map, at) ?? { ...NOTHING, kind: 'other', name: `word ${at}` }
  );
}

/** `table 7`, or with how often its frame has been handed out: `table 7 (gen 2)`. */
export function tableText(words: Words, map: ArenaMap, table: number): string {
  const generation = frameGenerationOf(stateOf(words, map, table));
  return generation > 1 ? `table ${table} (gen ${generation})` : `table ${table}`;
}

/** What an upper entry holds; its generation is known modulo 32. */
export function pmdText(value: number): string {
  const pmd = value as Pmd;
  if (pmdNone(pmd)) return 'none';
  if (!pmdTablePresent(pmd)) return 'a huge page';
  const generation = frameGenerationOf(value & FRAME_IDENTITY_MASK);
  return generation > 1 ? `table ${pmdTable(pmd)} (gen ${generation})` : `table ${pmdTable(pmd)}`;
}

/** What a PTE holds. */
export function pteText(value: number): string {
  const pte = value as Pte;
  if (pteNone(pte)) return 'none';
  if (value === POISON) return 'poison';
  if (ptePresent(pte)) {
    if (pteZeroPage(pte)) return 'zero page';
    const how = [
      ...(pteWrite(pte) ? ['write'] : []),
      ...(pteDirty(pte) ? ['dirty'] : []),
      ...(pteUffdWp(pte) ? ['uffd-wp'] : []),
    ];
    return `page ${ptePfn(pte)}${how.length === 0 ? '' : ` (${how.join(', ')})`}`;
  }
  const kind = pteKind(pte);
  if (kind === PTE_KIND.swap) return `page ${ptePfn(pte)} swapped out`;
  if (kind === PTE_KIND.migration) return `migration of page ${ptePfn(pte)}`;
  if (kind === PTE_KIND.protNone) return `page ${ptePfn(pte)} (prot-none)`;
  const marker = Object.entries(MARKER).find(([, payload]) => payload === ptePfn(pte));
  return `${marker?.[0] ?? 'unknown'} marker`;
}

function nameEntry(words: Words, map: ArenaMap, at: number): NamedWord | null {
  const { ptrsShift, bodies } = map.geometry;
  const offset = at - map.bodies;
  if (offset < 0 || offset >= bodies << ptrsShift) return null;
  const body = offset >> ptrsShift;
  const index = offset & ((1 << ptrsShift) - 1);
  const table = words[map.owners + body]!;
  if (table <= 0 || table >= map.geometry.tables)
    return { ...NOTHING, kind: 'pte', index, name: `entry ${index} of body ${body}` };
  const level = frameLevelOf(stateOf(words, map, table));
  // What points to PTE tables is a pmd entry however many levels there are.
  const isTop = level > 1 && level === map.geometry.levels - 1;
  const entry = ['pte', 'pmd', 'pud', 'pgd'][isTop ? 3 : level]!;
  const isOnly = level > 0 && tablesOfLevel(words, map, level) === 1;
  const name = `${entry}[${index}]${isOnly ? '' : ` of ${tableText(words, map, table)}`}`;
  return { ...NOTHING, kind: level === 0 ? 'pte' : 'pmd', table, index, name };
}

function nameDescriptor(words: Words, map: ArenaMap, at: number): NamedWord | null {
  const { tables, pages } = map.geometry;
  const inTables = at - map.ptdescs;
  if (inTables >= 0 && inTables < tables << PTDESC_SHIFT) {
    const table = inTables >> PTDESC_SHIFT;
    const field = inTables & ((1 << PTDESC_SHIFT) - 1);
    const of = tableText(words, map, table);
    const lock = frameLevelOf(stateOf(words, map, table)) === 0 ? 'ptl' : 'pml';
    if (field === PTDESC.ptl) return { ...NOTHING, kind: 'lock', table, name: `${lock} of ${of}` };
    const what = field === PTDESC.state ? 'state' : 'descriptor';
    return { ...NOTHING, kind: 'other', table, name: `${what} of ${of}` };
  }
  const inPages = at - map.pages;
  if (inPages < 0 || inPages >= pages << PAGE_DESC_SHIFT) return null;
  const page = inPages >> PAGE_DESC_SHIFT;
  const isState = (inPages & ((1 << PAGE_DESC_SHIFT) - 1)) === PAGE.state;
  return {
    ...NOTHING,
    kind: 'page',
    page,
    name: `${isState ? 'state' : 'content'} of page ${page}`,
  };
}

/** What the protocol keeps for each table; only percpu refs have words of each CPU. */
function nameCount(words: Words, map: ArenaMap, at: number): NamedWord | null {
  const { tables, tableWords, tableCpuWords, cpus } = map.geometry;
  const shared = at - map.tableWords;
  if (tableWords! > 0 && shared >= 0 && shared < tables * tableWords!) {
    const table = Math.floor(shared / tableWords!);
    const field = tableCpuWords! === 0 ? REF.count : shared % tableWords!;
    const kind = field === REF.switchLock ? 'lock' : 'count';
    const name = `${REF_FIELDS[field]} of ${tableText(words, map, table)}`;
    return { ...NOTHING, kind, table, name };
  }
  const own = at - map.tableCpuWords;
  if (tableCpuWords! === 0 || own < 0 || own >= cpus * map.tableCpuStride) return null;
  const cpu = Math.floor(own / map.tableCpuStride);
  const table = Math.floor((own % map.tableCpuStride) / tableCpuWords!);
  const name = `count of ${tableText(words, map, table)} on cpu${cpu}`;
  return { ...NOTHING, kind: 'count', table, cpu, name };
}

function nameShared(words: Words, map: ArenaMap, at: number): NamedWord | null {
  const { mm, vmas } = map;
  const locks = [
    mm + MM.mmapLock,
    mm + MM.pageTableLock,
    mm + MM.anonVma,
    CONTROL.zoneLock,
    CONTROL.tableLock,
    CONTROL.bodyLock,
    CONTROL.refSwitchLock,
  ];
  if (locks.includes(at))
    return { ...NOTHING, kind: 'lock', name: lockName(words, map, at).replace(/^the /, '') };
  if (at === mm + MM.tlbGen) return { ...NOTHING, kind: 'tlb', name: 'tlbGen' };
  if (at === CONTROL.rcuEpoch) return { ...NOTHING, kind: 'rcu', name: 'the RCU epoch' };
  const torture = at - CONTROL.torture;
  if (torture >= 0 && torture < TORTURE_WORDS)
    return { ...NOTHING, kind: 'torture', name: `tortured word ${torture}` };
  const field = at >= mm && at < mm + MM.sizeWords ? fieldAt(MM, at - mm) : null;
  if (field !== null) return { ...NOTHING, kind: 'other', name: field };
  const inVmas = at - vmas;
  if (inVmas < 0 || inVmas >= map.geometry.vmas * VMA.sizeWords) return null;
  const of = `VMA ${Math.floor(inVmas / VMA.sizeWords)}`;
  return { ...NOTHING, kind: 'other', name: `${fieldAt(VMA, inVmas % VMA.sizeWords)} of ${of}` };
}

function nameOfCpu(map: ArenaMap, at: number): NamedWord | null {
  const cpu = Math.floor((at - map.percpu) / map.percpuWords);
  if (cpu < 0 || cpu >= map.geometry.cpus) return null;
  const offset = at - blockOf(map, cpu);
  if (offset >= map.vmaReaders)
    return { ...NOTHING, kind: 'lock', cpu, name: `VMA lock of cpu${cpu}` };
  if (offset >= PERCPU.mcs && offset < PERCPU.factCount) {
    const field = fieldAt(MCS_NODE, (offset - PERCPU.mcs) % MCS_NODE.sizeWords);
    return { ...NOTHING, kind: 'other', cpu, name: `MCS ${field} of cpu${cpu}` };
  }
  const field = fieldAt(PERCPU, offset) ?? `word ${offset}`;
  const kind = /^ipi/.test(field) ? 'ipi' : /^rcu/.test(field) ? 'rcu' : 'other';
  return { ...NOTHING, kind, cpu, name: `${field} of cpu${cpu}` };
}

/** The field that begins at `offset`. */
function fieldAt(struct: Readonly<Record<string, number>>, offset: number): string | null {
  return Object.entries(struct).find(([, place]) => place === offset)?.[0] ?? null;
}

function tablesOfLevel(words: Words, map: ArenaMap, level: number): number {
  let found = 0;
  for (let table = 1; table < map.geometry.tables; table++) {
    const state = stateOf(words, map, table);
    if (frameStateOf(state) === FRAME.table && frameLevelOf(state) === level) found++;
  }
  return found;
}

function stateOf(words: Words, map: ArenaMap, table: number): number {
  return words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
}
