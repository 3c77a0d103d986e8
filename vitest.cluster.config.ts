import { defineConfig } from 'vitest/config';
import { asStarted } from './test/as-started.ts';

// A frozen node, and an API server that is away, change what every other test sees.
const alone = ['test/cluster/journeys-frozen-node.test.ts', 'test/cluster/journeys-api-server.test.ts'];

// Tests on the cluster that KUBECONFIG names: `npm run test:cluster`.
export default defineConfig({
  test: {
    globalSetup: ['test/cluster/require-cluster.ts', 'test/postgres-server.ts'],
    isolate: false,
    execArgv: asStarted,
    // Pods are started one after the other by each node: more than this only wait for it.
    maxWorkers: 2,
    maxConcurrency: 6,
    // Images are pulled and pods started by machines that the tests know nothing of.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          exclude: alone,
          sequence: { groupOrder: 0 },
        },
      },
      // And alone means: one after the other.
      { extends: true, test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
