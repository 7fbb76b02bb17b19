/** Parameters in place of values: alone, and as what divides or multiplies. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { buildPlan } from './build-plan.ts';
import type { Plan } from './plan.ts';
import { scale } from './reference.ts';
import { requestOf } from './request.suite.ts';
import { parseScenario } from './scenario.ts';

const TEXT = `question: Is it so?
source: a test
parameters:
  scale: { type: integer, default: 64, max: 4096, summary: Divides the size. }
  share: { type: percent, default: 50, summary: Part of it. }
  size: { type: size, default: 12KiB, summary: A size. }
  pause: { type: duration, default: 3s, summary: A time. }
  lock: { type: choice, choices: [mcs], default: mcs, summary: A word. }
machine: { cpus: 2, gather: 8 }
regions:
  heap: { size: 55TiB / $scale }
protocols:
  async-scanner: { size: 256MiB / $scale }
columns:
  - cpu: all
    do: [sleep: 1ms]
`;

function planWith(was = '', becomes = '', parameters: Record<string, string> = {}): Plan {
  expect(TEXT).toContain(was);
  const scenario = parseScenario({ path: 'x.yaml', text: TEXT.replace(was, () => becomes) });
  return buildPlan(scenario, requestOf({ protocol: 'async-scanner', parameters }));
}

describe('a value is scaled by a parameter', () => {
  const TIB_PAGES = 2 ** 28;

  test('a size, by what the run asks for', () => {
    expect(planWith().regions[0]!.pages).toBe((55 * TIB_PAGES) / 64);
    expect(planWith('', '', { scale: '1' }).regions[0]!.pages).toBe(55 * TIB_PAGES);
    expect(planWith().options).toMatchObject({ sizePages: 1024 });
  });

  const size = '55TiB / $scale';
  test.each([
    [size, '55TiB/$scale', (55 * TIB_PAGES) / 64],
    [size, '$size / $scale', 1],
    [size, '$size * $share', 2],
    [size, '$size * $scale', 3 * 64],
    [size, '12KiB / $share', 6],
  ])('%s -> %s', (was, becomes, pages) => {
    expect(planWith(was, becomes).regions[0]!.pages).toBe(pages);
  });

  test('numbers, percentages and times, too, rounded up', () => {
    expect(planWith('gather: 8', 'gather: 100 / $scale').gatherPages).toBe(2);
    const touch = (pages: string): string => `touch: { region: heap, pages: ${pages} }`;
    expect(planWith('sleep: 1ms', touch('3 * $share')).columns[0]).toMatchObject([{ pages: 2 }]);
    const punch = 'punch: { region: heap, percent: $share * $share }';
    expect(planWith('sleep: 1ms', punch).columns[0]).toMatchObject([{ percent: 25 }]);
    const sleep = planWith('sleep: 1ms', 'sleep: $pause / $scale');
    expect(sleep.columns[0]).toEqual([{ op: 'sleep', ms: 47 }]);
  });

  test('the bounds of a place are those of the result', () => {
    expect(planWith('cpus: 2', 'cpus: 128 / $scale').cpus).toBe(2);
  });

  property([fc.nat(2 ** 40), fc.integer({ min: 1, max: 2 ** 40 }), fc.boolean(), fc.boolean()])(
    'and the result is exact',
    (value, factor, isPercent, isProduct) => {
      const wholes = isPercent ? 100n : 1n;
      const dividend = BigInt(value) * (isProduct ? BigInt(factor) : wholes);
      const divisor = isProduct ? wholes : BigInt(factor);
      const exact = Number((dividend + divisor - 1n) / divisor);
      const expected = dividend < 2n ** 53n ? exact : null;
      expect(scale(value, isProduct ? '*' : '/', factor, isPercent)).toBe(expected);
    },
  );
});

describe('a mistake in it is told with its place', () => {
  const size = '55TiB / $scale';
  test.each([
    [
      size,
      '55TiB / scale',
      'x.yaml:11:17: regions.heap.size: "55TiB / scale" is not VALUE / $name',
    ],
    [size, '55TiB / 64', '"55TiB / 64" is not VALUE / $name or VALUE * $name, $name a parameter'],
    [size, '55TiB / $scale / $scale', '"55TiB / $scale / $scale" is not VALUE / $name or VALUE'],
    [size, '55TB / $scale', 'regions.heap.size: size "55TB" is not a number with a unit'],
    [size, '55 / $scale', 'regions.heap.size: size "55" has no unit; write e.g. 50GiB'],
    [size, '2KiB * $scale', 'regions.heap.size: size "2KiB" is not a whole number of 4KiB pages'],
    [size, '55TiB / $scal', 'no parameter "scal"; parameters: scale, share, size, pause, lock'],
    [size, '$siz / $scale', 'no parameter "siz"; parameters: scale, share, size, pause, lock'],
    [size, '$pause / $scale', '"$pause" is of type duration; size is wanted here'],
    [size, '55TiB / $lock', '"$lock" is of type choice; a factor is integer or percent'],
    [size, '55TiB / $size', '"$size" is of type size; a factor is integer or percent'],
    [size, '0B / $scale', 'size "0B / $scale = 0B" is out of range; allowed: at least 4KiB'],
    ['cpus: 2', 'tables: 9007199254740991 * $scale', '740991 * $scale" is too large to be '],
    ['cpus: 2', 'cpus: 2 * $scale', '"2 * $scale = 128" is out of range; allowed: 1 to 64'],
    ['cpus: 2', 'cpus: two * $scale', 'machine.cpus: "two" is not a whole number; write e.g. 1'],
    ['cpus: 2', 'cpus: 2 * scale', 'x.yaml:9:18: machine.cpus: "2 * scale" is not VALUE / $name'],
    ['cpus: 2', 'tableFree: rcu / $scale', '"rcu / $scale" is not allowed; choose one of rcu, ipi'],
    ['256MiB / $scale', '256MiB / scale', 'async-scanner.size: "256MiB / scale" is not VALUE'],
  ])('%s -> %s', (was, becomes, complaint) => {
    expect(() => planWith(was, becomes)).toThrow(complaint);
  });

  test('a divisor of nothing', () => {
    expect(() => planWith('', '', { scale: '0' })).toThrow(
      'x.yaml:11:17: regions.heap.size: "55TiB / $scale": "$scale" is 0; a divisor is at least 1',
    );
  });
});
