import { defineConfig } from 'vitest/config';

/** A real server that is killed again and again under a stream of deliveries: half an hour, or as long as is said. */
export default defineConfig({
  test: {
    include: ['test/fire/**/*.chaos.ts'],
    maxWorkers: 1,
    testTimeout: 7_200_000,
    hookTimeout: 60_000,
  },
});
