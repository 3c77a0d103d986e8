import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifestOf } from '../../src/github/manifest.ts';
import {
  appRoutes,
  eventNeeds,
  missingEvents,
  missingPermissions,
  neededPermissions,
  permissionNeeds,
} from '../../src/github/permissions.ts';

const room = join(import.meta.dirname, '..', '..', 'src', 'github');

/** Every route that the code of the room writes down, the table apart. */
async function routesOfCode(): Promise<ReadonlySet<string>> {
  const files = (await readdir(room)).filter((file) => file.endsWith('.ts') && file !== 'permissions.ts');
  const texts = await Promise.all(files.map((file) => readFile(join(room, file), 'utf8')));
  return new Set(texts.flatMap((text) => text.match(/\b(?:GET|POST|PUT|PATCH|DELETE) \/[^'"`\s,]*/g) ?? []));
}

test('every call of the code is covered by the table, and nothing is asked for that no call needs', async () => {
  const called = [...(await routesOfCode())].sort();
  const covered = [...permissionNeeds.flatMap(({ routes }) => routes), ...appRoutes].sort();
  expect(called).toEqual(covered);
});

test('only one place makes calls, so that no route escapes the table', async () => {
  const files = (await readdir(room)).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(
    files.map(async (file) => [file, await readFile(join(room, file), 'utf8')]),
  );
  const using = (pattern: RegExp): readonly string[] =>
    texts.flatMap(([file = '', text = '']) => (pattern.test(text) ? [file] : [])).sort();
  expect(using(/\bfetch\(/)).toEqual(['send.ts']);
  expect(using(/octokit\.(?!request<)/)).toEqual([]);
  expect(using(/\bperform\b/)).toEqual([
    'connect.ts',
    'hook-deliveries.ts',
    'manifest.ts',
    'send.ts',
    'token.ts',
  ]);
});

test('a permission that no call needs is needed by an event', () => {
  const byEvents = new Set(eventNeeds.map(({ permission }) => permission));
  const idle = permissionNeeds.filter(
    ({ permission, routes }) => routes.length === 0 && !byEvents.has(permission),
  );
  expect(idle).toEqual([]);
});

test('the least is asked for', () => {
  expect(neededPermissions()).toEqual({
    metadata: 'read',
    contents: 'read',
    checks: 'write',
    pull_requests: 'read',
    merge_queues: 'read',
  });
});

test.each([
  [{}, ['metadata', 'contents', 'checks', 'pull_requests', 'merge_queues']],
  [{ ...neededPermissions() }, []],
  [{ ...neededPermissions(), checks: 'read' }, ['checks']],
  [{ ...neededPermissions(), contents: 'write', checks: 'admin', issues: 'write' }, []],
])('of %j are missing: %j', (granted, missing) => {
  expect(missingPermissions(granted).map(({ permission }) => permission)).toEqual(missing);
});

test('events that are not subscribed are named', () => {
  expect(missingEvents(['push', 'star']).map(({ event }) => event)).toEqual([
    'pull_request',
    'merge_group',
    'check_run',
    'check_suite',
    'repository',
  ]);
  expect(missingEvents(eventNeeds.map(({ event }) => event))).toEqual([]);
});

test('the manifest says what the table says, and where to deliver', () => {
  const manifest = manifestOf({ publicUrl: 'https://ame.example.com/', name: `AME ${'x'.repeat(40)}` });
  expect(manifest).toEqual({
    name: `AME ${'x'.repeat(30)}`,
    url: 'https://ame.example.com',
    public: false,
    hook_attributes: { url: 'https://ame.example.com/webhooks/github', active: true },
    redirect_url: 'https://ame.example.com/setup/created',
    default_permissions: neededPermissions(),
    default_events: ['push', 'pull_request', 'merge_group', 'check_run', 'check_suite', 'repository'],
  });
});
