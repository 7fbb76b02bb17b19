/** Facts about the report on the live kernel: what it counts, and what it shows of a difference. */
import { expect, test } from 'vitest';
import type { Reading } from '#result/reading';
import { parseSaved } from '#result/saved';
import type { Compared, Validation } from '#result/validation';
import { validationMarkdown, validationText } from './validation.ts';

const LIVE: Reading = { vmpteKiB: 16, rssKiB: 4, refused: 0, present: ['0'] };
const SIMULATED: Reading = { vmpteKiB: 12, rssKiB: 4, refused: 0, present: [''] };
const END = { operation: 7, text: 'dontneed heap 0+512', kernel: LIVE, simulator: SIMULATED };

const AGREED: Compared = {
  ...{ name: 'allocator-loop', operations: 1025, checkpoints: 33, threads: 1 },
  ...{ vmptePeakKiB: 12, rssPeakKiB: 2048, notes: ['size=1GiB'], difference: null },
};

const DIFFERS: Compared = {
  ...AGREED,
  name: 'churn',
  difference: { ...END, history: [{ ...END, watched: [{ page: 0, pages: 1 }] }], isSettled: false },
};

const VALIDATION: Validation = {
  ...{ pttorture: '0.1.0', schema: 1, kind: 'validation', command: 'pttorture validate' },
  machine: { node: 'v20.20.2', platform: 'linux x64', cores: 2, memoryGiB: 24 },
  date: '2026-11-21',
  kernel: { release: '6.18.0', reclaims: true, source: '/proc/config.gz' },
  ...{ protocol: 'pt-reclaim', broken: null, seed: 1, seconds: 2, plans: [AGREED] },
  ...{ random: null, leftOut: [{ name: 'uffd', why: 'its memory is\u001b[31m' }] },
  isInterrupted: false,
};

function text(validation: Validation): string {
  return validationText(validation, { width: 80, paint: (_style, words) => words });
}

test('the last line counts plans, checkpoints and differences', () => {
  expect(text(VALIDATION)).toMatch(/\n1 plan compared, 33 checkpoints, 0 differences\n$/);
  const both = { ...VALIDATION, plans: [AGREED, DIFFERS] };
  expect(text(both)).toMatch(/\n2 plans compared, 66 checkpoints, 1 difference\n$/);
  const cut = { ...VALIDATION, isInterrupted: true };
  expect(text(cut)).toMatch(/0 differences \(interrupted\)\n$/);
});

test('it says which kernel, what was cut, and what was left out, and steers no terminal', () => {
  const shown = text(VALIDATION);
  expect(shown).toContain('Linux 6.18.0 (CONFIG_PT_RECLAIM=y by /proc/config.gz)');
  expect(shown).toContain('allocator-loop: size=1GiB');
  expect(shown).toContain('uffd: its memory is');
  expect(shown).not.toContain('\u001b');
});

test('a difference shows both histories, and the pages', () => {
  const shown = text({ ...VALIDATION, plans: [DIFFERS] });
  expect(shown).toContain('churn differs after operation 7');
  expect(shown).toContain('It did not come out twice in the same way.');
  expect(shown).toMatch(/7 {2}dontneed heap 0\+512 {2}16 \/ 12 {2}4 \/ 4/);
  expect(shown).not.toContain('refused');
  expect(shown).toMatch(/live: +0\n.*simulated: none/);
});

test('a random plan that differs is shown with what is left of it', () => {
  const { difference } = DIFFERS;
  const shrunk = {
    ...{ ops: ['mmap write memory 0+1'], scenario: '', foundOperations: 30, trials: 44 },
    difference: difference!,
  };
  const random = { plans: 9, operations: 270, checkpoints: 90, shrunk };
  const validation = { ...VALIDATION, plans: [], random };
  expect(text(validation)).toContain('Of its 30 operations these 1 are left after 44 trials');
  expect(text(validation)).toContain('1  mmap write memory 0+1');
  expect(text(validation)).toMatch(/9 plans compared, 90 checkpoints, 1 difference\n$/);
  expect(validationMarkdown(validation)).toContain('| 9 random plans | 270 | 90 |');
});

test('Markdown has a row for each plan', () => {
  const table = validationMarkdown({ ...VALIDATION, plans: [AGREED, DIFFERS] });
  expect(table).toContain('| allocator-loop, size=1GiB | 1,025 | 33 | 12 KiB | 2.00 MiB | none |');
  expect(table).toContain('| at operation 7 |');
});

test('the document is read back as it was written, and a damaged one is refused', () => {
  const saved = { ...VALIDATION, plans: [DIFFERS] };
  expect(parseSaved(JSON.stringify(saved), 'a.json')).toEqual(saved);
  const damaged = JSON.stringify({ ...saved, plans: [{ ...DIFFERS, checkpoints: -1 }] });
  expect(() => parseSaved(damaged, 'a.json')).toThrow(/^a\.json: plans\[0\]\.checkpoints/);
});
