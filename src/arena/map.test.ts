/** Facts about the map of the arena, for any geometry. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import {
  bindArena,
  bodyAt,
  bodyOfPlace,
  boundMap,
  lockOwnerAt,
  ownerAt,
  pageAt,
  ptdescAt,
  ptrsMask,
  vmaAt,
} from './arena.ts';
import { CONTROL } from './layout/control.ts';
import { LOCK_KINDS_MAX } from './layout/lock-stat.ts';
import { MM, VMA } from './layout/mm.ts';
import { PAGE } from './layout/page.ts';
import { GATHER_TABLES_MAX } from './layout/percpu.ts';
import { TABLE_SEM } from './layout/protocol-words.ts';
import { PTDESC } from './layout/ptdesc.ts';
import { LINE_WORDS } from './layout/struct.ts';
import { arenaMap, type Geometry } from './map.ts';

const geometries: fc.Arbitrary<Geometry> = fc.record({
  cpus: fc.integer({ min: 1, max: 20 }),
  ptrsShift: fc.integer({ min: 1, max: 9 }),
  levels: fc.integer({ min: 2, max: 4 }),
  tables: fc.integer({ min: 1, max: 5000 }),
  bodies: fc.integer({ min: 1, max: 5000 }),
  pages: fc.integer({ min: 2, max: 50_000 }),
  vmas: fc.integer({ min: 1, max: 2000 }),
  gatherPages: fc.integer({ min: 1, max: 600 }),
  batch: fc.integer({ min: 1, max: 200 }),
  backing: fc.constantFrom('fixed', 'on-demand'),
});

function regionsOf(geometry: Geometry): [name: string, at: number, sizeWords: number][] {
  const map = arenaMap(geometry);
  return [
    ['control', 0, CONTROL.sizeWords],
    ['mm', map.mm, MM.sizeWords],
    ['vmas', map.vmas, geometry.vmas * VMA.sizeWords],
    ['vma map 0', map.vmaMaps, 1 + geometry.vmas],
    ['vma map 1', map.vmaMaps + map.vmaMapWords, 1 + geometry.vmas],
    ['percpu', map.percpu, geometry.cpus * map.percpuWords],
    ['ptdescs', map.ptdescs, geometry.tables * PTDESC.sizeWords],
    ['pages', map.pages, geometry.pages * PAGE.sizeWords],
    ['owners', map.owners, geometry.bodies],
    ['bodies', map.bodies, geometry.bodies << geometry.ptrsShift],
  ];
}

property([geometries])('regions are disjoint, on lines, and within the size', (geometry) => {
  let free = 0;
  for (const [name, at, sizeWords] of regionsOf(geometry)) {
    expect(at % LINE_WORDS, name).toBe(0);
    expect(at, name).toBeGreaterThanOrEqual(free);
    free = at + sizeWords;
  }
  expect(arenaMap(geometry).sizeWords).toBeGreaterThanOrEqual(free);
});

property([geometries])('the parts of a per-CPU block are disjoint and within it', (geometry) => {
  const map = arenaMap(geometry);
  expect(map.gatheredPages - map.pcp).toBe(2 * geometry.batch);
  expect(map.gatheredTables - map.gatheredPages).toBe(geometry.gatherPages);
  expect(map.vmaReaders - map.gatheredTables).toBe(GATHER_TABLES_MAX);
  expect(map.percpuWords).toBeGreaterThanOrEqual(map.vmaReaders + geometry.vmas);
  expect(map.percpuWords % LINE_WORDS).toBe(0);
});

property([geometries], { numRuns: 20 })('places are found again', (geometry) => {
  const map = arenaMap(geometry);
  bindArena(new SharedArrayBuffer(4 * map.sizeWords), geometry, 0);
  const last = { table: geometry.tables - 1, body: geometry.bodies - 1 };
  expect(boundMap()).toEqual(map);
  expect(ptdescAt(last.table)).toBe(map.ptdescs + last.table * PTDESC.sizeWords);
  expect(pageAt(geometry.pages - 1)).toBe(map.pages + (geometry.pages - 1) * PAGE.sizeWords);
  expect(vmaAt(1)).toBe(map.vmas + VMA.sizeWords);
  expect(ownerAt(last.body)).toBe(map.owners + last.body);
  for (const index of [0, ptrsMask()]) {
    expect(bodyOfPlace(bodyAt(last.body) + index)).toBe(last.body);
    expect(bodyOfPlace(bodyAt(0) + index)).toBe(0);
  }
});

property([geometries], { numRuns: 20 })('each lock has an owner word of its own', (sizes) => {
  const geometry = { ...sizes, tableWords: TABLE_SEM.sizeWords, lockRecords: LOCK_KINDS_MAX + 3 };
  const map = arenaMap(geometry);
  bindArena(new SharedArrayBuffer(4 * map.sizeWords), geometry, 0);
  const tables = Array.from({ length: geometry.tables }, (_, table) => table);
  const locks = [
    ...[CONTROL.zoneLock, CONTROL.tableLock, CONTROL.bodyLock, CONTROL.refSwitchLock],
    ...[CONTROL.torture, map.mm + MM.mmapLock, map.mm + MM.pageTableLock, map.mm + MM.anonVma],
    ...Array.from({ length: geometry.vmas }, (_, vma) => vmaAt(vma) + VMA.lockSeq),
    ...tables.map((table) => ptdescAt(table) + PTDESC.ptl),
    ...tables.map((table) => map.tableWords + table * TABLE_SEM.sizeWords),
  ];
  const places = locks.map(lockOwnerAt);
  expect(new Set(places).size).toBe(locks.length);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(map.lockOwners);
  expect(Math.max(...places)).toBeLessThan(map.sizeWords);
  expect(map.lockOwners).toBeGreaterThanOrEqual(map.bodies);
});

property([geometries])('without lock statistics nothing is kept of locks', (geometry) => {
  const map = arenaMap(geometry);
  expect(map.lockOwners).toBe(map.sizeWords);
  expect(map.percpuWords).toBe(map.lockStat);
});

test('what is too large or out of shape is refused', () => {
  const small: Geometry = {
    ...{ cpus: 1, ptrsShift: 9, levels: 4, tables: 1, bodies: 1, pages: 2, vmas: 1 },
    ...{ gatherPages: 1, batch: 1, backing: 'fixed' },
  };
  expect(() => arenaMap({ ...small, levels: 5 })).toThrow('two to four levels');
  expect(() => arenaMap({ ...small, ptrsShift: 10 })).toThrow('entries per table');
  expect(() => arenaMap({ ...small, pages: 2 ** 30 })).toThrow('an arena has at most');
});
