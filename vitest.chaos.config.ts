import { defineConfig } from 'vitest/config';
import { asStarted } from './test/as-started.ts';

/** A real server that is killed again and again under a stream of deliveries: half an hour, or as long as is said. */
export default defineConfig({
  test: {
    execArgv: asStarted,
    include: ['test/fire/**/*.chaos.ts'],
    maxWorkers: 1,
    testTimeout: 7_200_000,
    hookTimeout: 60_000,
  },
});
