/**
 * For tests: a property as a test of its own. The package `@fast-check/vitest` does the same, but
 * its import takes more than a second in each test file.
 */
import fc from 'fast-check';
import { test } from 'vitest';

type Arbitraries<T extends unknown[]> = { [K in keyof T]: fc.Arbitrary<T[K]> };

/** `property([arbitrary, …])('states a fact', (value, …) => { expect… })`. */
export function property<T extends [unknown, ...unknown[]]>(
  arbitraries: Arbitraries<T>,
  parameters: fc.Parameters<T> = {},
): (name: string, check: (...values: T) => void) => void {
  return (name, check) =>
    test(name, () => {
      fc.assert(fc.property(...arbitraries, check), parameters);
    });
}
