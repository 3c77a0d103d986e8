import { defineConfig } from 'vitest/config';
import { asStarted } from './test/as-started.ts';
import { LongFirst } from './test/long-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These need a cluster: npm run test:cluster.
    exclude: ['test/cluster/**', '**/node_modules/**'],
    globalSetup: ['test/postgres-server.ts'],
    // A fresh process for each file loads the same modules again: this, the four workers and the test server's
    // idle disk made the whole 157 s rather than 448 s on two cores. So nothing may be left in a module or a global,
    // and hooks shared by files are registered by a function that each file calls.
    isolate: false,
    // Processes of half the size are forked in half the time, which those do a lot that ask git.
    execArgv: asStarted,
    sequence: { sequencer: LongFirst },
    // Most tests wait for processes and disks: twice as many as the cores of a small machine keep them busy.
    maxWorkers: 4,
    // Journeys start real processes and real git on two cores: generous, and never what a test asserts.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
