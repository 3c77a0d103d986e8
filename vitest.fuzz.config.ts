import { defineConfig } from 'vitest/config';
import { asStarted } from './test/as-started.ts';

/** All cases of what `npm test` runs a few of; see test/fuzz/lane.ts for what bounds and repeats them. */
export default defineConfig({
  test: {
    execArgv: asStarted,
    include: ['test/fuzz/**/*.test.ts'],
    globalSetup: ['test/postgres-server.ts'],
    env: { AME_FUZZ: 'all' },
    maxWorkers: 2,
    // A lane is one test, and ends by its cases or by the time that it is given.
    testTimeout: 7_200_000,
    hookTimeout: 60_000,
  },
});
