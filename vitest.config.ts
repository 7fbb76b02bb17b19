import { defineConfig } from 'vitest/config';

// The tests are multi-threaded themselves, so files run one after another; `forks` keeps a test
// on a main thread, as in production, and lets a crash take one fork only.
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['src/**/*.test.ts', 'workers/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 80_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
