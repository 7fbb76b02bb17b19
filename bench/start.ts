/**
 * The group `start`: how long it takes from the command to its help and to a first result, and what
 * an installation takes up.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Figure, Group, Prepared, Variant } from './harness.ts';
import { folderBytes, type LockFile, productionPackages } from './installed.ts';
import { inPackage } from './root.ts';

const BARE = 'node, an empty program';
const HELP = 'pttorture --help';
/** The shortest run there is: what it takes beside is start, judges and report. */
const SMALL_RUN = ['run', 'fault-vs-zap', '--protocol', 'pt-reclaim', '--duration', '1ms'];
const FIRST_RESULT = `pttorture ${SMALL_RUN.join(' ')}`;
const UNPACKED = 'the package, unpacked';
const PACKED = 'the package, as it is fetched';
const DEPENDENCIES = 'its dependencies, installed';
const PACKAGES = 'packages that it brings';

const MIB = 2 ** 20;

export const start: Group = {
  summary: 'from the command to its help and to a first result; size of an installation',
  prepare(): Prepared {
    const cli = inPackage('dist', 'src', 'cli', 'main.js');
    return {
      variants: [
        commandVariant(BARE, ['--eval', '0']),
        commandVariant(HELP, [cli, '--help']),
        commandVariant(FIRST_RESULT, [cli, ...SMALL_RUN]),
        ...sizeVariants(),
      ],
      figures: FIGURES,
      notes: ['sizes of files; what a file system makes of them is more'],
    };
  },
};

const FIGURES: readonly Figure[] = [
  { name: HELP, of: HELP, goal: { bound: 'at most', limit: 150 } },
  { name: 'first result', of: FIRST_RESULT, goal: { bound: 'at most', limit: 500 } },
  { name: 'help to an empty program', of: HELP, over: BARE },
  { name: 'first result to an empty program', of: FIRST_RESULT, over: BARE },
];

function commandVariant(name: string, args: readonly string[]): Variant {
  return {
    name,
    unit: 'ms',
    async sample() {
      const before = performance.now();
      await promisify(execFile)(process.execPath, args);
      return performance.now() - before;
    },
  };
}

/** Sizes do not change while the bench runs. */
function sizeVariants(): Variant[] {
  const { size, unpackedSize } = packed();
  const lock = JSON.parse(readFileSync(inPackage('package-lock.json'), 'utf8')) as LockFile;
  const folders = productionPackages(lock).map((path) => inPackage(...path.split('/')));
  const sizes = folders.map(folderBytes).filter((bytes) => bytes !== null);
  const installed = sizes.reduce((sum, bytes) => sum + bytes, 0);
  return [
    { name: PACKED, unit: 'MiB', sample: () => size / MIB },
    { name: UNPACKED, unit: 'MiB', sample: () => unpackedSize / MIB },
    { name: DEPENDENCIES, unit: 'MiB', sample: () => installed / MIB },
    { name: PACKAGES, unit: 'pieces', sample: () => sizes.length },
  ];
}

/** What npm says of the package that it would publish. */
function packed(): { size: number; unpackedSize: number } {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const text = execFileSync('npm', args, { cwd: inPackage(), stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(text.toString())[0];
}
