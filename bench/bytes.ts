/**
 * The group `bytes`: what tables and pages take, once by the layout of the arena and once by the
 * memory that a process is seen to use; and the server of `production-snapshot`, by a line through
 * two smaller sizes of it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { arenaMap, type Geometry } from '#arena/map';
import { parseSize } from '#base/units';
import { sizeMachine } from '#machine/size';
import type { Figure, Goal, Group, Prepared, Reading, Variant } from './harness.ts';
import type { MemoryFound, MemoryRequest } from './memory-run.ts';
import { inPackage } from './root.ts';
import { planAt } from './shipped.ts';
import { lineThrough } from './statistics.ts';

const BACKINGS = ['on-demand', 'fixed'] as const;
type Backing = (typeof BACKINGS)[number];

/**
 * What the tables hold, and the two sizes between which the process's memory grows. Empty tables on
 * demand take so little that there must be many.
 */
const CONTENTS = ['empty', 'sparse', 'full'] as const;
type Content = (typeof CONTENTS)[number];
const SIZES = { small: '16GiB', large: '64GiB' };
const SIZES_OF_EMPTY = { small: '2TiB', large: '8TiB' };

const BYTES_PER_TABLE = parseSize('2MiB');
const PAGES_PER_TABLE = 512;
const MIB = 2 ** 20;
/** The protocol keeps no words of its own beside a table. */
const PROTOCOL = 'pt-reclaim';

export const bytes: Group = {
  summary:
    'memory of tables and pages, by the layout and as measured; the server with 110 GiB of VmPTE',
  prepare: (): Prepared => ({
    variants: [
      ...BACKINGS.flatMap((backing) => [...layoutVariants(backing), ...rssVariants(backing)]),
      snapshotVariant(),
    ],
    figures: FIGURES,
    notes: [
      'by layout: words of the arena that one table or page more adds',
      'measured: growth of the peak memory (RSS) of a process between two numbers of tables, ' +
        'upper levels and what the judges need at the end included',
      `a full table has ${PAGES_PER_TABLE} pages with it; a sparse one has one`,
      `the server 1:1 is on a line through it at 1/${SCALES.small} and 1/${SCALES.large}`,
    ],
  }),
};

const SERVER = 'server 1:1';
const SERVER_BUILD = `${SERVER}: build`;
const SERVER_RECLAIM = `${SERVER}: reclaim`;
const EMPTY_GOAL: Goal = { bound: 'at most', limit: 32, aim: 16 };

const FIGURES: readonly Figure[] = [
  ...[layoutName, rssName].map((named) => {
    const name = named('on-demand', 'empty');
    return { name, of: name, goal: EMPTY_GOAL };
  }),
  { name: SERVER, of: SERVER, goal: { bound: 'at most', limit: 4096, aim: 2560 } },
  { name: SERVER_BUILD, of: SERVER_BUILD, goal: { bound: 'at most', limit: 20 } },
  { name: SERVER_RECLAIM, of: SERVER_RECLAIM, goal: { bound: 'at most', limit: 5 } },
];

function layoutName(backing: Backing, content: Content): string {
  return `${backing}, ${content} table, by layout`;
}

function layoutPageName(backing: Backing): string {
  return `${backing}, page, by layout`;
}

function rssName(backing: Backing, content: Content): string {
  return `${backing}, ${content} table, measured`;
}

function rssPageName(backing: Backing): string {
  return `${backing}, page, measured`;
}

function layoutVariants(backing: Backing): Variant[] {
  const plan = planAt(scenarioOf('full'), PROTOCOL, { parameters: { size: SIZES.small } });
  const geometry = sizeMachine({ ...plan, backing });
  const table = growth(geometry, 'tables');
  const body = growth(geometry, 'bodies');
  const page = growth(geometry, 'pages');
  const tables: Readonly<Record<Content, number>> = {
    empty: backing === 'fixed' ? table + body : table,
    sparse: table + body + page,
    full: table + body + PAGES_PER_TABLE * page,
  };
  return [
    ...CONTENTS.map((content) => constant(layoutName(backing, content), tables[content])),
    constant(layoutPageName(backing), page),
  ];
}

/** Bytes that one more of `what` adds to the arena. */
function growth(geometry: Geometry, what: 'tables' | 'bodies' | 'pages'): number {
  const more = 2 ** 16;
  const after = arenaMap({ ...geometry, [what]: geometry[what] + more }).sizeWords;
  return (4 * (after - arenaMap(geometry).sizeWords)) / more;
}

function constant(name: string, value: number): Variant {
  return { name, unit: 'B', sample: () => value };
}

function rssVariants(backing: Backing): Variant[] {
  const perTable = new Map<Content, number>();
  const page: Reading = {
    name: rssPageName(backing),
    unit: 'B',
    read: () => (perTable.get('full')! - perTable.get('sparse')!) / (PAGES_PER_TABLE - 1),
  };
  return CONTENTS.map((content) => ({
    name: rssName(backing, content),
    unit: 'B',
    async sample() {
      const isMany = content === 'empty' && backing === 'on-demand';
      const { small, large } = isMany ? SIZES_OF_EMPTY : SIZES;
      const tables = (parseSize(large) - parseSize(small)) / BYTES_PER_TABLE;
      const peakOf = async (size: string): Promise<number> => {
        const request = { path: scenarioOf(content), parameters: { size }, backing, cpus: 1 };
        return (await runForMemory(request)).peakRssMiB;
      };
      const grown = (await peakOf(large)) - (await peakOf(small));
      const found = (grown * MIB) / tables;
      perTable.set(content, found);
      return found;
    },
    beside: content === 'full' ? [page] : [],
  }));
}

function scenarioOf(content: Content): string {
  return inPackage('bench', 'scenarios', `${content}-tables.yaml`);
}

/** Divisors of the server's size. */
const SCALES = { small: 128, large: 8 };

function snapshotVariant(): Variant {
  const path = inPackage('scenarios', 'production-snapshot.yaml');
  const server = { path, backing: 'on-demand', cpus: 2 } as const;
  const at = (scale: number): Promise<MemoryFound> =>
    runForMemory({ ...server, parameters: { scale: String(scale) } });
  let build = 0;
  let reclaim = 0;
  return {
    name: SERVER,
    unit: 'MiB',
    async sample() {
      const [small, large] = [await at(SCALES.small), await at(SCALES.large)];
      const whole = (of: (found: MemoryFound) => number): number =>
        lineThrough([1 / SCALES.small, of(small)], [1 / SCALES.large, of(large)], 1);
      build = whole(({ phases }) => phases['build']);
      reclaim = whole(({ phases }) => phases['reclaim']);
      return whole(({ peakRssMiB }) => peakRssMiB);
    },
    beside: [
      { name: SERVER_BUILD, unit: 's', read: () => build },
      { name: SERVER_RECLAIM, unit: 's', read: () => reclaim },
    ],
  };
}

async function runForMemory(request: Omit<MemoryRequest, 'protocol'>): Promise<MemoryFound> {
  const whole: MemoryRequest = { ...request, protocol: PROTOCOL };
  const program = inPackage('dist', 'bench', 'memory-run.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(whole)]);
  return JSON.parse(stdout) as MemoryFound;
}
