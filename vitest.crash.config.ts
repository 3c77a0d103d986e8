import { defineConfig } from 'vitest/config';
import { asStarted } from './test/as-started.ts';

/** Every place where the process can be cut off, and every order of things: minutes, where `npm test` takes a sample. */
export default defineConfig({
  test: {
    include: ['test/fire/**/*.crash.ts'],
    globalSetup: ['test/postgres-server.ts'],
    isolate: false,
    execArgv: asStarted,
    maxWorkers: 2,
    // The longest of them holds thousands of journeys.
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});
