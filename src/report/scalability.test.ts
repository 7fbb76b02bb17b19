/** The Universal Scalability Law, fitted. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { fitScalability, predicted } from './scalability.ts';

const CPUS = [1, 2, 4, 8, 16];

function law(single: number, contention: number, coherency: number) {
  const fit = { single, contention, coherency, residual: 0, peakCpus: null };
  return CPUS.map((cpus) => ({ cpus, throughput: predicted(fit, cpus) }));
}

describe('a fit', () => {
  property.prop([
    fc.double({ min: 1, max: 1e9, noNaN: true }),
    fc.double({ min: 0, max: 0.9, noNaN: true }),
    fc.double({ min: 0, max: 0.5, noNaN: true }),
  ])('finds the law that made the points', (single, contention, coherency) => {
    const fit = fitScalability(law(single, contention, coherency))!;
    expect(fit.single / single).toBeCloseTo(1, 6);
    expect(fit.contention).toBeCloseTo(contention, 5);
    expect(fit.coherency).toBeCloseTo(coherency, 5);
    expect(fit.residual).toBeLessThan(1e-6);
  });

  test('of CPUs that do not hinder each other has no terms and no peak', () => {
    const fit = fitScalability(CPUS.map((cpus) => ({ cpus, throughput: 7 * cpus })))!;
    expect(fit).toMatchObject({ contention: 0, coherency: 0, peakCpus: null });
    expect(fit.single).toBeCloseTo(7, 9);
  });

  test('of more than linear growth has no negative terms, and says how far off it is', () => {
    const fit = fitScalability(CPUS.map((cpus) => ({ cpus, throughput: cpus ** 1.5 })))!;
    expect([fit.contention, fit.coherency]).toEqual([0, 0]);
    expect(fit.residual).toBeGreaterThan(0.1);
  });

  test('knows where throughput is highest', () => {
    const { peakCpus } = fitScalability(law(1, 0.19, 0.01))!;
    expect(peakCpus).toBeCloseTo(9, 5);
  });

  test('needs three numbers of CPUs', () => {
    const [one, two] = law(1, 0.1, 0.1);
    expect(fitScalability([one!, two!, two!])).toBe(null);
  });
});
