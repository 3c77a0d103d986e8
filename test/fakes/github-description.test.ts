import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { access } from './github/access.ts';
import { loadDescription } from './github/description.ts';
import { operations } from './github/judged-operations.ts';
import { webhookName, webhookNames } from './github/judged-webhooks.ts';
import { operate } from './github/server.ts';

type Delivery = {
  readonly event?: string;
  readonly action?: string | null;
  readonly payload?: Readonly<Record<string, unknown>>;
};

const directory = join(import.meta.dirname, '..', '..', 'fixtures', 'deliveries');

async function deliveries(): Promise<readonly (Delivery & { readonly name: string })[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  const read = names.map(async (name) => ({
    ...(JSON.parse(await readFile(join(directory, name), 'utf8')) as Delivery),
    name,
  }));
  // A few older files are bare bodies, for doors that must not look into them.
  return (await Promise.all(read)).filter(({ event, payload }) => typeof event === 'string' && payload);
}

test('every payload of the fixtures is one that GitHub could send', async () => {
  const description = await loadDescription();
  const all = await deliveries();
  expect(all.length).toBeGreaterThanOrEqual(60);
  const wrong = all
    .map(({ name, event = '', payload }) => ({ name, faults: description.webhook(event, payload) }))
    .filter(({ faults }) => faults.length > 0);
  expect(wrong).toEqual([]);
  const seen = new Set(all.map(({ event = '', action }) => webhookName(event, action ?? null)));
  const unseen = webhookNames.filter((name) => !seen.has(name));
  expect(unseen).toEqual(['meta-deleted', 'release-published']);
});

test('a payload that GitHub could not send is seen', async () => {
  const description = await loadDescription();
  const push = (await deliveries()).find(({ name }) => name === 'push-branch.json')?.payload;
  expect(description.webhook('push', { ...push, ref: 1 })).toEqual(['/ref must be string']);
  expect(description.webhook('push', { ...push, commits: [{}] }).length).toBeGreaterThan(0);
  expect(description.webhook('pushed', {})).toEqual(['no schema for pushed']);
});

test('every operation of the copy is answered, and says who may call it', async () => {
  const description = await loadDescription();
  const ids = operations.map((operation) => {
    const [method = '', path = ''] = operation.split(' ');
    return description.find(method, path)?.id;
  });
  expect(ids.filter((id) => id === undefined || !(id in access) || !(id in operate))).toEqual([]);
  expect(new Set(ids).size).toBe(operations.length);
});

test.each([
  ['GET', '/repos/a/b/contents/x%2Fy.yaml', 'repos/get-content', { path: 'x/y.yaml' }],
  ['GET', '/repos/a/b/contents', 'repos/get-content', { path: '' }],
  ['GET', '/repos/a/b/branches/x/y', 'repos/get-branch', { branch: 'x/y' }],
  ['GET', '/repos/a/b/commits/x/y/check-runs', 'checks/list-for-ref', { ref: 'x/y' }],
  ['GET', '/repos/a/b/commits/x', 'repos/get-commit', { ref: 'x' }],
  ['GET', '/repos/a/b/git/ref/heads/x', 'git/get-ref', { ref: 'heads/x' }],
  ['GET', '/app/hook/config', 'apps/get-webhook-config-for-app', {}],
])('%s %s is %s', async (method, path, id, params) => {
  const description = await loadDescription();
  expect(description.find(method, path)).toMatchObject({ id, params });
});
