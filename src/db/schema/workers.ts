import { pgSequence } from 'drizzle-orm/pg-core';

/** Numbers of workers, each used by one session. */
export const workerNumbers = pgSequence('worker_numbers', {
  minValue: 1,
  maxValue: 2_147_483_647,
  cycle: true,
});
