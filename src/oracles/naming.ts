/** The words in which verdicts speak: names of CPUs, tables, addresses, states and locks. */
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import {
  PAGE_DESC_SHIFT,
  PAGE_GENERATION_SHIFT,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import {
  FRAME,
  frameGenerationOf,
  frameLevelOf,
  frameStateOf,
  PTDESC,
  PTDESC_SHIFT,
  USE_ACTOR_MASK,
  USE_ACTOR_SHIFT,
  USE_CPU_MASK,
  USE_CPU_SHIFT,
  USE_OPERATION_MASK,
  USE_OPERATION_SHIFT,
} from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { PAGE_SIZE_BYTES } from '#base/units';
import { mergeRings } from '#trace/ring';
import { ACTORS } from '#trace/vocabulary';
import { blockOf, cpuOfWord, type Evidence, type Fact } from './evidence.ts';

/** Events of a table that a message recalls. */
const RECALLED_MAX = 3;
const PAST_TENSE: Readonly<Record<string, string>> = {
  hook: 'hooked',
  unhook: 'unhooked',
  defer: 'deferred',
  free: 'freed',
};

/** `cpu1 (fault, operation 17)`, who noted the fact. */
export function whoNoted({ cpu, actor, operation }: Fact): string {
  return `cpu${cpu} (${actorName(actor)}, operation ${operation})`;
}

/** `cpu1 (madvise)`, and what it is doing now. */
export function cpuNow(words: Words, map: ArenaMap, cpu: number): string {
  return `cpu${cpu} (${actorName(words[blockOf(map, cpu) + PERCPU.actor]!)})`;
}

export function actorName(actor: number): string {
  return ACTORS[actor] ?? `actor ${actor}`;
}

/** `pte table 7`; the top level is called the pgd however many levels there are. */
export function tableName(map: ArenaMap, level: number, table: number): string {
  const kind = level === map.geometry.levels - 1 ? 'pgd' : ['pte', 'pmd', 'pud', 'pgd'][level];
  return `${kind} table ${table}`;
}

/** The same, with the level from the table's own descriptor. */
export function tableByNumber({ words, map }: Evidence, table: number): string {
  if (table < 0 || table >= map.geometry.tables) return `table ${table}`;
  const state = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
  return tableName(map, frameLevelOf(state), table);
}

/** The address of entry `index` of the PTE table at `slot`, as user space would write it. */
export function addressText(map: ArenaMap, slot: number, index: number): string {
  const page = slot * 2 ** map.geometry.ptrsShift + index;
  return `0x${(page * PAGE_SIZE_BYTES).toString(16)}`;
}

/** `unhooked (pte level, generation 4)`, from a state word. */
export function frameText(map: ArenaMap, state: number): string {
  const name = Object.entries(FRAME).find(([, value]) => value === frameStateOf(state))![0];
  const word = name === 'table' ? 'in use' : name;
  const level = tableName(map, frameLevelOf(state), 0).split(' ')[0];
  return `${word} (${level} level, generation ${frameGenerationOf(state)})`;
}

/** `gathered (life 17)`, from a page's state word. */
export function pageText(state: number): string {
  const name = Object.entries(PAGE_STATE).find(
    ([, value]) => value === (state & PAGE_STATE_MASK),
  )![0];
  return `${name} (life ${state >>> PAGE_GENERATION_SHIFT})`;
}

/** An entry or body word, in hexadecimal. */
export function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

/** The CPU that a use word remembers as the last changer. */
export function changerCpu(use: number): number {
  return (use >>> USE_CPU_SHIFT) & USE_CPU_MASK;
}

/** `cpu1 (madvise, operation 17 modulo 256)`, from a use word. */
export function changerText(use: number): string {
  const actor = actorName((use >>> USE_ACTOR_SHIFT) & USE_ACTOR_MASK);
  const operation = (use >>> USE_OPERATION_SHIFT) & USE_OPERATION_MASK;
  const modulo = USE_OPERATION_MASK + 1;
  return `cpu${changerCpu(use)} (${actor}, operation ${operation} modulo ${modulo})`;
}

/**
 * What the rings still know of `table`: `; latest acts on it: cpu1 deferred it, cpu0 freed it`, or
 * nothing. A fact has no time, so these may come after it.
 */
export function recalled({ words, map }: Evidence, table: number): string {
  const blocks = Array.from({ length: map.geometry.cpus }, (_, cpu) => blockOf(map, cpu));
  const events = mergeRings(words, blocks).filter(
    ({ kind, a }) => a === table && PAST_TENSE[kind] !== undefined,
  );
  const acts = events.slice(-RECALLED_MAX).map(({ cpu, kind, b }) => {
    const where = kind === 'hook' ? ` at slot ${b}` : kind === 'unhook' ? ` from slot ${b}` : '';
    return `cpu${cpu} ${PAST_TENSE[kind]} it${where}`;
  });
  return acts.length === 0 ? '' : `; latest acts on it: ${acts.join(', ')}`;
}

/** What is waited for at the word `at`: `ptl of table 7`, `the zone lock`. */
export function lockName(words: Words, map: ArenaMap, at: number): string {
  const { tables } = map.geometry;
  const offset = at - map.ptdescs;
  if (offset >= 0 && offset < tables << PTDESC_SHIFT) {
    const table = offset >> PTDESC_SHIFT;
    const level = frameLevelOf(words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!);
    return `${level === 0 ? 'ptl' : 'pml'} of table ${table}`;
  }
  const page = (at - map.pages) >> PAGE_DESC_SHIFT;
  if (page >= 0 && page < map.geometry.pages) return `the lock of page ${page}`;
  const interrupted = cpuOfWord(map, at, PERCPU.ipiServed);
  if (interrupted !== null) return `cpu${interrupted} to serve an interrupt`;
  const accessing = cpuOfWord(map, at, PERCPU.accesses);
  if (accessing !== null) return `cpu${accessing} to end its access`;
  const asked = cpuOfWord(map, at, PERCPU.rcuAnswered);
  if (asked !== null) return `cpu${asked} to pass a quiescent state`;
  const named: readonly (readonly [number, string])[] = [
    [map.mm + MM.pageTableLock, 'the page-table lock'],
    [map.mm + MM.mmapLock, 'the mmap lock'],
    [map.mm + MM.anonVma, 'the rmap lock'],
    [CONTROL.zoneLock, 'the zone lock'],
    [CONTROL.tableLock, 'the lock of the free tables'],
    [CONTROL.bodyLock, 'the lock of the free bodies'],
    [CONTROL.refSwitchLock, 'the switch lock of the percpu refs'],
    [CONTROL.torture, 'the tortured lock'],
  ];
  return named.find(([place]) => place === at)?.[1] ?? `the lock at word ${at}`;
}
