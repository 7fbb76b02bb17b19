/** Named edits caught in the stepped form, each by the oracle that it is meant for. */
import { expect, test } from 'vitest';
import { EDITS } from '#derive/edits';
import type { Execution } from './execution.ts';
import { machineFor, PLANS, randomly } from './small.suite.ts';

/** Far more than any of them needs: the slowest takes some 50 in the median. */
const EXECUTIONS_MAX = 3000;
const SEEDS = [1, 2, 3];

interface Caught {
  readonly what: string;
  readonly label: string;
  readonly becomes: string;
  readonly small: keyof typeof PLANS;
  readonly oracles: readonly string[];
}

const NEST = 'spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);';

const CAUGHT: readonly Caught[] = [
  {
    what: 'no recheck of the pmd (K-30)',
    label: 'recheck-pmd',
    becomes: 'const hooked = true;',
    small: 'faultVsZap',
    oracles: ['lost-entry'],
  },
  {
    what: 'a dropped ptl forgotten (K-01, S-09)',
    label: 'zap-direct',
    becomes: '',
    small: 'faultVsZap',
    oracles: ['nonempty-table-freed'],
  },
  {
    what: 'the pml taken under the ptl (S-10)',
    label: 'trylock-pml',
    becomes: 'spinLockNested(cpu, pml, LOCK.pml, SINGLE_DEPTH_NESTING); const locked = true;',
    small: 'zapVsZap',
    oracles: ['deadlock'],
  },
  {
    what: 'a scan without the ptl (S-13)',
    label: 'scan-ptl',
    becomes: 'const nested = false;',
    small: 'faultVsScanner',
    oracles: ['nonempty-table-freed', 'lost-entry'],
  },
  {
    what: 'a scan that drops the ptl before it clears the pmd (S-13)',
    label: 'scan-empty',
    becomes: `$& if (nested) { spinUnlock(cpu, ptl, LOCK.ptl); ${NEST} }`,
    small: 'faultVsScanner',
    oracles: ['nonempty-table-freed'],
  },
  {
    what: 'a scan that does not recheck the pmd (S-13)',
    label: 'scan-recheck-pmd',
    becomes: 'const hooked = true;',
    small: 'scannerVsScanner',
    oracles: ['double-free'],
  },
  {
    what: 'a free that waits for no grace period',
    label: 'free-by-rcu',
    becomes: 'freeTable(cpu, table);',
    small: 'faultVsZap',
    oracles: ['use-after-free'],
  },
  {
    what: 'nrPtes not decremented',
    label: 'dec-nr-ptes',
    becomes: '',
    small: 'faultVsZap',
    oracles: ['wrong-nr-ptes'],
  },
  {
    what: 'RSS not decremented',
    label: 'dec-rss',
    becomes: '',
    small: 'faultVsZap',
    oracles: ['wrong-rss'],
  },
];

test.each(CAUGHT)('$what is caught', async ({ label, becomes, small, oracles }) => {
  const named = EDITS.find((edit) => edit.label === label);
  const edit = named ?? { name: `stepped-${label}`, label, becomes };
  const machine = await machineFor(edit, PLANS[small]);
  for (const seed of SEEDS) {
    const failure = firstFailure(machine, seed);
    expect(oracles).toContain(failure?.verdicts[0]?.kind);
  }
});

type Machine = Awaited<ReturnType<typeof machineFor>>;

function firstFailure(machine: Machine, seed: number): Execution | null {
  const strategy = randomly(seed);
  for (let execution = 0; execution < EXECUTIONS_MAX; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts.length > 0) return found;
    expect(found.end).toBe('done');
  }
  return null;
}

test('a deadlock names the circle', async () => {
  const { label, becomes, small } = CAUGHT.find((each) => each.label === 'trylock-pml')!;
  const machine = await machineFor({ name: `stepped-${label}`, label, becomes }, PLANS[small]);
  const failure = firstFailure(machine, 1)!;
  expect(failure.end).toBe('deadlock');
  expect(failure.verdicts[0]!.cpus).toEqual([0, 1]);
  expect(failure.verdicts[0]!.message).toMatch(
    /^cpu\d \(madvise\) holds p[mt]l of table \d+ and waits for p[mt]l of table \d+, held by cpu\d/,
  );
});
