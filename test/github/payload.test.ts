import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { actions, shapes } from '../../src/github/payload-shapes.ts';
import { narrowDelivery } from '../../src/github/payload.ts';

const one = '1'.repeat(40);
const two = '2'.repeat(40);
const zero = '0'.repeat(40);
const ada = { id: 7, login: 'ada', type: 'User' };
const repository = {
  id: 41,
  full_name: 'north-sea/pets',
  private: true,
  default_branch: 'main',
  // Never read: an address in a payload may lead anywhere.
  clone_url: 'http://169.254.169.254/',
};
const place = { repository, installation: { id: 9 }, sender: ada };
const narrowed = {
  installationId: '9',
  repository: {
    hostId: '41',
    owner: 'north-sea',
    name: 'pets',
    isPrivate: true,
    archived: null,
    defaultBranch: 'main',
  },
  sender: { id: '7', login: 'ada', type: 'User' },
};
const push = { ...place, ref: 'refs/heads/main', before: one, after: two, forced: false };
const pull = {
  ...place,
  number: 5,
  pull_request: {
    state: 'open',
    draft: false,
    merged: false,
    head: { sha: two, ref: 'topic', repo: { id: 99 } },
    base: { sha: one, ref: 'main', repo: { id: 41 } },
  },
};
const installation = {
  id: 9,
  account: { id: 3, login: 'north-sea', type: 'Organization' },
  permissions: { contents: 'read' },
  events: ['push'],
  repository_selection: 'selected',
  suspended_at: null,
};

function narrow(event: string, payload: unknown): ReturnType<typeof narrowDelivery> {
  return narrowDelivery(event, Buffer.from(JSON.stringify(payload)));
}

const narrowedInstallation = {
  id: '9',
  account: { id: '3', login: 'north-sea', type: 'Organization' },
  permissions: { contents: 'read' },
  events: ['push'],
  repositorySelection: 'selected',
  isSuspended: false,
};

test.each([
  [
    'push',
    { ...push, pusher: { name: 'ada', email: null } },
    {
      kind: 'push',
      ...narrowed,
      ref: 'refs/heads/main',
      before: one,
      after: two,
      forced: false,
      pusher: 'ada',
    },
  ],
  ['push', { ...push, forced: true, after: zero }, { forced: true, after: zero, pusher: null }],
  [
    'pull_request',
    { ...pull, action: 'synchronize', before: one, after: two },
    {
      kind: 'pull_request',
      action: 'synchronize',
      ...narrowed,
      number: 5,
      headSha: two,
      headRef: 'topic',
      headRepositoryId: '99',
      fromFork: true,
      baseRef: 'main',
      baseSha: one,
      state: 'open',
      draft: false,
      merged: false,
      baseChanged: false,
      before: one,
      after: two,
    },
  ],
  [
    'pull_request',
    {
      ...pull,
      action: 'edited',
      changes: { base: { ref: { from: 'old' }, sha: { from: one } } },
      pull_request: { ...pull.pull_request, head: { ...pull.pull_request.head, repo: null } },
    },
    { baseChanged: true, headRepositoryId: null, fromFork: true, before: null },
  ],
  [
    'pull_request',
    { ...pull, action: 'edited', changes: { title: { from: 'old' } } },
    { baseChanged: false },
  ],
  [
    'merge_group',
    {
      ...place,
      action: 'checks_requested',
      merge_group: { head_sha: two, head_ref: 'refs/heads/q', base_sha: one, base_ref: 'refs/heads/main' },
    },
    {
      kind: 'merge_group',
      action: 'checks_requested',
      ...narrowed,
      headSha: two,
      headRef: 'refs/heads/q',
      baseSha: one,
      baseRef: 'refs/heads/main',
      reason: null,
    },
  ],
  [
    'installation',
    {
      action: 'created',
      installation,
      repositories: [{ id: 41, full_name: 'north-sea/pets', private: false }],
      sender: ada,
    },
    {
      kind: 'installation',
      action: 'created',
      installation: narrowedInstallation,
      repositories: [{ hostId: '41', owner: 'north-sea', name: 'pets', isPrivate: false }],
      sender: narrowed.sender,
    },
  ],
  [
    'installation',
    {
      action: 'suspend',
      installation: {
        ...installation,
        suspended_at: '2026-01-01T00:00:00Z',
        account: { id: 3, slug: 'corp' },
      },
    },
    {
      installation: {
        ...narrowedInstallation,
        isSuspended: true,
        account: { id: '3', login: 'corp', type: 'Enterprise' },
      },
      repositories: [],
      sender: null,
    },
  ],
  [
    'installation_repositories',
    {
      action: 'removed',
      installation,
      repository_selection: 'selected',
      repositories_added: [],
      repositories_removed: [{ id: 41, full_name: 'north-sea/pets', private: true }],
    },
    {
      kind: 'installation_repositories',
      action: 'removed',
      installation: narrowedInstallation,
      repositorySelection: 'selected',
      added: [],
      removed: [{ hostId: '41', owner: 'north-sea', name: 'pets', isPrivate: true }],
      sender: null,
    },
  ],
  [
    'installation_target',
    { action: 'renamed', installation: { id: 9 }, account: { id: 3, login: 'sea', type: 'Organization' } },
    {
      kind: 'installation_target',
      action: 'renamed',
      installationId: '9',
      account: { id: '3', login: 'sea', type: 'Organization' },
    },
  ],
  [
    'repository',
    { ...place, action: 'renamed', changes: { repository: { name: { from: 'dogs' } } } },
    {
      kind: 'repository',
      action: 'renamed',
      ...narrowed,
      oldName: 'dogs',
      oldOwner: null,
      oldDefaultBranch: null,
    },
  ],
  [
    'repository',
    {
      ...place,
      action: 'transferred',
      changes: { owner: { from: { organization: { id: 8, login: 'south-sea' } } } },
    },
    { oldOwner: { id: '8', login: 'south-sea', type: 'Enterprise' } },
  ],
  [
    'repository',
    { ...place, action: 'edited', changes: { default_branch: { from: 'master' } } },
    { oldDefaultBranch: 'master' },
  ],
  [
    'check_run',
    {
      ...place,
      action: 'requested_action',
      requested_action: { identifier: 'cancel' },
      check_run: { id: 1234567890123, head_sha: one, external_id: 'run:1', app: { id: 77 } },
    },
    {
      kind: 'check_run',
      action: 'requested_action',
      ...narrowed,
      checkRunId: '1234567890123',
      headSha: one,
      externalId: 'run:1',
      appId: '77',
      identifier: 'cancel',
    },
  ],
  [
    'check_suite',
    { ...place, action: 'rerequested', check_suite: { head_sha: one, app: { id: 77 } } },
    { kind: 'check_suite', action: 'rerequested', ...narrowed, headSha: one, appId: '77' },
  ],
  ['ping', { zen: '', hook_id: 5, hook: { app_id: 77 } }, { kind: 'ping', hookId: '5', appId: '77' }],
  ['ping', { hook_id: 5, hook: { type: 'Repository' } }, { kind: 'ping', hookId: '5', appId: null }],
  // What nobody here needs is not even looked into.
  ['pull_request', { action: 'labeled' }, { kind: 'other', action: 'labeled' }],
  ['check_run', { action: 'created' }, { kind: 'other', action: 'created' }],
  ['star', { action: 'created' }, { kind: 'other', action: 'created' }],
  ['toString', {}, { kind: 'other', action: null }],
])('%s %#: takes what is needed', (event, payload, expected) => {
  const told = narrow(event, payload);
  if ('kind' in expected) expect(told).toEqual(expected);
  else expect(told).toMatchObject(expected);
});

const ofPush = (changes: object): string => JSON.stringify({ ...push, ...changes });
test.each([
  ['no JSON', '{', /JSON/],
  ['a list', '[]', /JSON object/],
  ['nothing', 'null', /JSON object/],
  ['no installation: a plain webhook', ofPush({ installation: undefined }), /push: installation/],
  ['no repository', ofPush({ repository: null }), /repository/],
  ['an id that lost digits', ofPush({ repository: { ...repository, id: 2 ** 53 + 2 } }), /repository\.id/],
  ['an id that is text', ofPush({ installation: { id: '9' } }), /installation\.id/],
  ['an id of a half', ofPush({ installation: { id: 9.5 } }), /installation\.id/],
  ['a short sha', ofPush({ after: 'abc' }), /after/],
  ['an option for git', ofPush({ before: '--upload-pack=x' }), /before/],
  ['no full ref', ofPush({ ref: 'main' }), /ref/],
  ['a name with three parts', ofPush({ repository: { ...repository, full_name: 'a/b/c' } }), /full_name/],
  ['a name that climbs', ofPush({ repository: { ...repository, full_name: 'a/..' } }), /full_name/],
  [
    'a name with a query',
    ofPush({ repository: { ...repository, full_name: 'a/b?c=d' } }),
    /repository\.full_name/,
  ],
])('%s is unreadable, with the place', (_, body, reason) => {
  expect(narrowDelivery('push', Buffer.from(body))).toEqual({
    kind: 'unreadable',
    reason: expect.stringMatching(reason),
  });
});

test('a key that is not read is not repeated where it is told', () => {
  const permissions = { '\ud800key': 'read' };
  const body = { ...place, action: 'created', installation: { ...installation, permissions } };
  const read = narrowDelivery('installation', Buffer.from(JSON.stringify(body)));
  expect(read).toEqual({ kind: 'unreadable', reason: expect.stringMatching(/permissions\.…/) });
});

test('what is no UTF-8 is unreadable', () => {
  const body = Buffer.from(JSON.stringify(push).replace('main', 'mæin'), 'latin1');
  expect(narrowDelivery('push', body)).toMatchObject({ kind: 'unreadable' });
});

test('never throws, whatever an event says', () => {
  const events = fc.constantFrom(...Object.keys(shapes), 'other');
  const known = fc.constantFrom(...Object.values(actions).flat());
  fc.assert(
    fc.property(
      events,
      known,
      fc.object({ withNullPrototype: true }),
      fc.jsonValue(),
      (event, action, more, any) => {
        const body = JSON.stringify({ ...push, ...pull, installation, action, ...more, repository: any });
        expect(['unreadable', 'other', event]).toContain(narrowDelivery(event, Buffer.from(body)).kind);
      },
    ),
    { numRuns: 200 },
  );
});

const fixture = z.object({
  event: z.string(),
  action: z.string().nullish(),
  payload: z.record(z.string(), z.unknown()),
});
const directory = join(import.meta.dirname, '../../fixtures/deliveries');

test('every payload of the fixtures is narrowed to its event, or is none of ours', async () => {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  const seen = new Set<string>();
  for (const name of names) {
    const read = fixture.safeParse(JSON.parse(await readFile(join(directory, name), 'utf8')));
    if (!read.success) continue;
    const { event, payload } = read.data;
    const told = narrow(event, payload);
    const action = typeof payload['action'] === 'string' ? payload['action'] : null;
    const known: Readonly<Record<string, readonly string[] | undefined>> = actions;
    const isOurs = event in shapes && (action === null || known[event]?.includes(action) === true);
    expect({ name, kind: told.kind }).toEqual({ name, kind: isOurs ? event : 'other' });
    if ('repository' in told) {
      const { id, full_name: fullName } = z
        .object({ id: z.int(), full_name: z.string() })
        .parse(payload['repository']);
      expect(told.repository.hostId).toBe(String(id));
      expect(`${told.repository.owner}/${told.repository.name}`).toBe(fullName);
    }
    if (isOurs) seen.add(`${event} ${action ?? ''}`.trim());
  }
  const meant = Object.entries(actions).flatMap(([event, names]) => names.map((name) => `${event} ${name}`));
  expect([...seen].toSorted()).toEqual(['ping', 'push', ...meant].toSorted());
});
