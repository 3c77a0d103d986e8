import { expect, test } from 'vitest';
import { narrowDelivery } from '../../src/github/payload.ts';
import { githubHeadOf } from '../../src/worker/github-head.ts';
import { runLane } from './lane.ts';
import { hostileDelivery } from './mutated-delivery.ts';

test('whatever a delivery holds, it is read or refused in words, and what is read can be stored', async () => {
  const kinds = new Map<string, number>();
  const cases = await runLane({ name: 'deliveries', few: 600, all: 100_000, share: 0.1 }, (random) => {
    const { event, body } = hostileDelivery(random);
    const read = narrowDelivery(event, body);
    kinds.set(read.kind, (kinds.get(read.kind) ?? 0) + 1);
    expect(narrowDelivery(event, body)).toEqual(read);
    if (read.kind === 'unreadable') {
      // It goes into the log: one line that repeats nothing of what was sent.
      expect(read.reason).toMatch(/^[\x20-\x7e…]{1,500}$/);
      return;
    }
    for (const [key, value] of leavesOf(read)) {
      if (typeof value === 'string') {
        expect([key, value.includes('\0'), value.isWellFormed()]).toEqual([key, false, true]);
        if (/(^|\.)(id|hostId|installationId)$/.test(key)) expect(value).toMatch(/^[1-9]\d{0,15}$/);
      } else if (typeof value === 'number') {
        // The width of the columns.
        expect([key, Math.abs(value) < 2 ** 31]).toEqual([key, true]);
      }
    }
    if (read.kind === 'push' || read.kind === 'pull_request' || read.kind === 'merge_group') {
      const { said } = githubHeadOf(read);
      if (said.ref !== undefined) expect(said.ref).toMatch(/^refs\/[^\u0000-\u0020\u007f]{1,1000}$/u);
    }
  });
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  if (cases >= 600) expect(kinds.size).toBeGreaterThan(8);
});

function* leavesOf(value: unknown, path = ''): Generator<readonly [path: string, leaf: unknown]> {
  if (typeof value !== 'object' || value === null) yield [path, value];
  else
    for (const [key, below] of Object.entries(value))
      yield* leavesOf(below, path === '' ? key : `${path}.${key}`);
}
