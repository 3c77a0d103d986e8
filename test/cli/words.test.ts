import { expect, test } from 'vitest';
import { attemptWhy, coreUse, memoryUse } from '../../src/cli/words.ts';
import type { AttemptShape } from '../../src/server/api/shapes.ts';

const gibibyte = 2 ** 30;
const phases = { waiting: 0, preparing: 0, running: 10, storing: 0 };
const resources = {
  cpuMillis: 1_500,
  memoryBytes: 2 * gibibyte,
  memoryCeilingBytes: 16 * gibibyte,
  memoryFrom: 'asked' as const,
  storageBytes: gibibyte,
  gpus: 0,
  vramMib: null,
};
const attempt: AttemptShape = {
  id: 1,
  task: 'train',
  number: 1,
  state: 'succeeded',
  class: 'succeeded',
  reason: 'The command ended with 0.',
  exitCode: 0,
  signal: null,
  host: null,
  peakMemoryBytes: gibibyte / 2,
  cpuSeconds: 12,
  pendingWhy: null,
  resources,
  reusedFrom: null,
  createdAt: '2026-02-03T04:05:06Z',
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  phases,
  lastWords: [],
  notices: [],
};

test.each<[Partial<AttemptShape>, string, string]>([
  [{}, '512.0 MiB of 2.0 GiB', '1.2 of 1.5'],
  [{ resources: { ...resources, memoryFrom: 'learned' } }, '512.0 MiB of 2.0 GiB (learned)', '1.2 of 1.5'],
  [{ resources: null }, '512.0 MiB', '1.2'],
  [{ peakMemoryBytes: null, cpuSeconds: null }, '', ''],
  // Of what was over in no time there is no average.
  [{ phases: { ...phases, running: 0.2 } }, '512.0 MiB of 2.0 GiB', ''],
  [{ phases: { ...phases, running: null } }, '512.0 MiB of 2.0 GiB', ''],
])('what was used of what was given: %j', (given, memory, cores) => {
  expect([memoryUse({ ...attempt, ...given }), coreUse({ ...attempt, ...given })]).toEqual([memory, cores]);
});

test.each<[Partial<AttemptShape>, string]>([
  [{}, ''],
  [{ state: 'queued', class: null, reason: null, pendingWhy: 'No room.' }, 'waits: No room.'],
  [{ state: 'running', class: null, reason: null, pendingWhy: 'No room.' }, ''],
  [{ state: 'failed', class: 'exit', reason: 'It ended with 3.' }, 'It ended with 3.'],
  [{ reusedFrom: 7 }, 'taken over from an earlier run'],
])('why: %j', (given, why) => {
  expect(attemptWhy({ ...attempt, ...given })).toBe(why);
});
