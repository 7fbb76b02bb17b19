import { defineConfig } from 'vitest/config';

/** Tests that start threads or programs of their own, which take all cores or measure time. */
const THREADED = [
  'src/arena/{atomics-wait,word}.test.ts',
  'src/cli/{documents,html,real-engine,record,stress,trace,trace-run,validate}.test.ts',
  'src/explore/{explore,from-result}.test.ts',
  'src/live/**/*.test.ts',
  'src/machine/{confirm,lock-run,machine,run}.test.ts',
  'src/report/html/page.test.ts',
  'bench/native/*.test.ts',
];

// Those run one after another, when the others are done, of which two run at a time; `forks` keeps
// a test on a main thread, as in production, and lets a crash take one fork only. The others share
// what they import, which saves a third of their time: none may leave behind what another minds
// (`npx vitest run --project alone --sequence.shuffle.files` looks for such).
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    pool: 'forks',
    testTimeout: 80_000,
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['{src,workers,bench}/**/*.test.ts'],
          exclude: THREADED,
          maxWorkers: 2,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: THREADED,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
