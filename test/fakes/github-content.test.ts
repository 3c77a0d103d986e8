import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { git, scratch, tryGit } from '../git/real-git.ts';
import { ask, assertClean, tokenFor } from './asking.ts';
import { createFakeGithub, type FakeGithub } from './github.ts';
import type { FakeInstallation } from './github/world.ts';
import type { FakeRepository, Pushed } from './github/repository.ts';

let github: FakeGithub;
let acme: FakeInstallation;
let pets: FakeRepository;
let first: Pushed;
let token: string;

beforeAll(async () => {
  github = await createFakeGithub({ treeLimit: 4 });
  acme = await github.addInstallation({ account: 'acme' });
  pets = await github.addRepository(acme, { name: 'pets' });
  first = await pets.commit({
    'ame.yaml': 'name: pets\n',
    'data/a b.csv': '1,2\n',
    'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
    link: { mode: '120000', content: 'ame.yaml' },
    module: { mode: '160000', content: '1'.repeat(40) },
    'binary.bin': Buffer.from([1, 0, 2]),
    'latin.txt': Buffer.from([0x63, 0x61, 0x66, 0xe9]),
  });
  token = await tokenFor(github, acme);
});

afterAll(async () => {
  await github[Symbol.asyncDispose]();
  assertClean(github);
});

const get = (path: string, headers?: Readonly<Record<string, string>>) =>
  ask(github, token, `GET /repos/acme/pets${path}`, undefined, headers);

describe('content', () => {
  test.each([
    ['ame.yaml', { type: 'file', content: 'bmFtZTogcGV0cwo=\n', encoding: 'base64' }],
    ['data%2Fa%20b.csv', { type: 'file', path: 'data/a b.csv' }],
    ['link', { type: 'symlink', target: 'ame.yaml' }],
    ['module', { type: 'submodule', sha: '1'.repeat(40) }],
    ['data', [{ type: 'file', name: 'a b.csv' }]],
  ])('of %s', async (path, body) => {
    expect(await get(`/contents/${path}?ref=${first.after}`)).toMatchObject({ status: 200, body });
  });

  test('of what is not there', async () => {
    expect(await get('/contents/ame.yml')).toMatchObject({ status: 404 });
    expect(await get('/contents/ame.yaml?ref=nowhere')).toMatchObject({ status: 404 });
    expect(await get(`/git/blobs/${first.after}`)).toMatchObject({ status: 404 });
    expect(await get('/git/ref/heads/ma')).toMatchObject({ status: 404 });
    expect(await get('/branches/nowhere')).toMatchObject({ status: 404 });
    expect(await get(`/commits/${'0'.repeat(40)}`)).toMatchObject({ status: 422 });
  });

  test('of trees, cut where they are long', async () => {
    const tree = await get(`/git/trees/${first.after}`);
    expect(tree.body).toMatchObject({ truncated: false });
    const cut = await get(`/git/trees/${first.after}?recursive=1`);
    expect(cut.body).toMatchObject({ truncated: true, tree: { length: 4 } });
  });

  test('of refs, an annotated tag unpeeled', async () => {
    const tag = await pets.tag('v1', first.after, { message: 'one' });
    await pets.branch('a/b', first.after);
    expect(await get('/git/ref/tags/v1')).toMatchObject({
      body: { object: { type: 'tag', sha: tag.after } },
    });
    expect(await get('/git/ref/heads/a/b')).toMatchObject({ body: { object: { sha: first.after } } });
    expect(await get('/git/ref/heads%2Fa%2Fb')).toMatchObject({ status: 200 });
    expect(await get('/branches/a%2Fb')).toMatchObject({
      body: { name: 'a/b', commit: { sha: first.after } },
    });
    expect(await get('/commits/v1')).toMatchObject({ body: { sha: first.after } });
  });
});

test('a comparison is from the merge base, with 300 files and pages of commits', async () => {
  const many = Object.fromEntries(Array.from({ length: 301 }, (_, at) => [`many/${at}`, String(at)]));
  await pets.commit(many, { branch: 'many', from: first.after });
  await pets.commit({ 'many/0': null, 'moved/0': '0', other: 'x' }, { branch: 'many' });
  await pets.commit({ 'on-main': 'x' });
  const compared = await get('/compare/main...many');
  expect(compared.body).toMatchObject({
    status: 'diverged',
    ahead_by: 2,
    behind_by: 1,
    merge_base_commit: { sha: first.after },
    files: { length: 300 },
    commits: { length: 2 },
  });
  const page = await get('/compare/main...many?per_page=1&page=2');
  expect(page.body).toMatchObject({ commits: { length: 1 }, files: [] });
  const renamed = await get('/compare/many~1...many');
  expect(renamed).toMatchObject({ status: 404 });
  await pets.commit({ 'data/a b.csv': null, 'data/b.csv': '1,2\n' }, { branch: 'rename', from: first.after });
  expect((await get(`/compare/${first.after}...rename`)).body).toMatchObject({
    status: 'ahead',
    files: [{ status: 'renamed', filename: 'data/b.csv', previous_filename: 'data/a b.csv' }],
  });
});

describe('pull requests', () => {
  test('follow the branch of a fork, and show it in the base', async () => {
    const fork = await github.fork(pets, { owner: 'mallory' });
    const made = await fork.commit({ evil: '1' }, { branch: 'evil' });
    const pull = await github.openPullRequest(pets, {
      head: 'evil',
      headRepository: fork,
      sender: 'mallory',
    });
    expect(await get(`/pulls/${pull.number}`)).toMatchObject({
      body: {
        head: { sha: made.after, label: 'mallory:evil', repo: { id: fork.id, fork: true } },
        base: { ref: 'main', repo: { id: pets.id } },
        changed_files: 1,
      },
    });
    const next = await fork.commit({ evil: '2' }, { branch: 'evil' });
    expect(await get(`/git/ref/pull/${pull.number}/head`)).toMatchObject({
      body: { object: { sha: next.after } },
    });
    expect(await get(`/commits/${next.after}/pulls`)).toMatchObject({ body: [{ number: pull.number }] });
    expect(await get('/pulls?state=open&base=main')).toMatchObject({ body: [{ head: { sha: next.after } }] });
    await github.updatePullRequest(pull, { state: 'closed' });
    await fork.commit({ evil: '3' }, { branch: 'evil' });
    expect(await get(`/pulls/${pull.number}`)).toMatchObject({
      body: { state: 'closed', head: { sha: next.after } },
    });
    await github.deleteRepository(fork);
    expect(await get(`/pulls/${pull.number}`)).toMatchObject({ body: { head: { repo: null } } });
  });
});

describe('GraphQL', () => {
  const query = async (text: string, variables: object = {}, as = token) => {
    const { status, body } = await ask(github, as, 'POST /graphql', { query: text, variables });
    expect(status).toBe(200);
    return body as { readonly data?: unknown; readonly errors?: unknown };
  };
  const inPets = (fields: string) => `{ repository(owner: "acme", name: "pets") { ${fields} } }`;

  test('reads refs, tags, trees and blobs, and no binary as text', async () => {
    const tag = await pets.tag('v2', first.after, { message: 'two' });
    const { data } = await query(
      `query ($oid: GitObjectID!) { repository(owner: "acme", name: "pets") {
        databaseId
        defaultBranchRef { name }
        gone: ref(qualifiedName: "refs/heads/gone") { name }
        tag: ref(qualifiedName: "refs/tags/v2") { target { oid ... on Tag { target { oid } } } }
        commit: object(oid: $oid) { ... on Commit {
          file(path: "ame.yaml") { mode object { ... on Blob { text byteSize } } }
          link: file(path: "link") { mode }
          none: file(path: "ame.yml") { mode }
          module: file(path: "module") { type object { oid } }
          nested: file(path: "data/a b.csv") { name path }
        } }
        binary: object(expression: "${first.after}:binary.bin") { ... on Blob { isBinary text byteSize } }
        latin: object(expression: "${first.after}:latin.txt") { ... on Blob { isBinary text byteSize } }
        main: object(expression: "main") { __typename }
      } }`,
      { oid: first.after },
    );
    expect(data).toEqual({
      repository: {
        databaseId: pets.id,
        defaultBranchRef: { name: 'main' },
        gone: null,
        tag: { target: { oid: tag.after, target: { oid: first.after } } },
        commit: {
          file: { mode: 0o100644, object: { text: 'name: pets\n', byteSize: 11 } },
          link: { mode: 0o120000 },
          none: null,
          module: { type: 'commit', object: null },
          nested: { name: 'a b.csv', path: 'data/a b.csv' },
        },
        binary: { isBinary: true, text: null, byteSize: 3 },
        latin: { isBinary: false, text: 'caf\uFFFD', byteSize: 4 },
        main: { __typename: 'Commit' },
      },
    });
  });

  test('reads pull requests, also by their node', async () => {
    const head = await pets.commit({ topic: 'x' }, { branch: 'topic' });
    const pull = await github.openPullRequest(pets, { head: 'topic', draft: true });
    const fields =
      'id number state isDraft headRefOid headRefName baseRefName isCrossRepository headRepository { databaseId }';
    const { data } = await query(inPets(`pullRequest(number: ${pull.number}) { ${fields} }`));
    const told = {
      number: pull.number,
      state: 'OPEN',
      isDraft: true,
      headRefOid: head.after,
      headRefName: 'topic',
      baseRefName: 'main',
      isCrossRepository: false,
      headRepository: { databaseId: pets.id },
    };
    expect(data).toMatchObject({ repository: { pullRequest: told } });
    const { id } = (data as { repository: { pullRequest: { id: string } } }).repository.pullRequest;
    expect(
      await query(`query ($id: ID!) { node(id: $id) { ... on PullRequest { ${fields} } } }`, { id }),
    ).toMatchObject({ data: { node: told } });
  });

  test('says in its answer what is refused', async () => {
    const narrow = await tokenFor(github, acme, {
      permissions: { contents: 'read' },
      repository_ids: [pets.id],
    });
    expect(await query(inPets('pullRequest(number: 1) { number } databaseId'), {}, narrow)).toMatchObject({
      data: { repository: { pullRequest: null, databaseId: pets.id } },
      errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }],
    });
    const other = await github.addInstallation({ account: 'umbrella' });
    expect(await query(inPets('databaseId'), {}, await tokenFor(github, other))).toMatchObject({
      data: { repository: null },
      errors: [{ type: 'NOT_FOUND', path: ['repository'] }],
    });
    github.rateLimit(other, { remaining: 0 });
    expect(await query(inPets('databaseId'), {}, await tokenFor(github, other))).toMatchObject({
      errors: [{ type: 'RATE_LIMITED' }],
    });
    const before = github.violations.length;
    expect(await query(inPets('databaseIds'))).toMatchObject({ errors: [{ message: expect.any(String) }] });
    expect(github.world.violations.splice(before)).toHaveLength(1);
  });
});

describe('git', () => {
  const fetchFrom = async (path: string, password: string, what: string) => {
    await using place = await scratch();
    await git(place.path, 'init', '--quiet', '.');
    const address = new URL(github.webUrl);
    address.username = 'x-access-token';
    address.password = password;
    const ended = await tryGit(place.path, ['fetch', '--depth=1', `${address.href}${path}.git`, what]);
    if (ended.code !== 0) return ended.err;
    return await git(place.path, 'ls-tree', '--name-only', 'FETCH_HEAD');
  };

  test('gives a single commit by its sha, with a token that may read content', async () => {
    expect(await fetchFrom('acme/pets', token, first.after)).toContain('ame.yaml');
    expect(github.requests.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(['git/info-refs', 'git/upload-pack']),
    );
  });

  test('gives the head of a pull request from a fork', async () => {
    const fork = await github.fork(pets, { owner: 'eve' });
    await fork.commit({ 'of-eve': '1' }, { branch: 'eve' });
    const { number } = await github.openPullRequest(pets, { head: 'eve', headRepository: fork });
    expect(await fetchFrom('acme/pets', token, `refs/pull/${number}/head`)).toContain('of-eve');
  });

  test('refuses a wrong token, a narrow one, and a repository of others', async () => {
    const narrow = await tokenFor(github, acme, { permissions: { metadata: 'read' } });
    expect(await fetchFrom('acme/pets', 'ghs_wrong', 'main')).toContain('Authentication failed');
    expect(await fetchFrom('acme/pets', narrow, 'main')).toContain('403');
    expect(await fetchFrom('acme/other', token, 'main')).toContain('not found');
  });

  test('takes plain pushes to the directory', async () => {
    await using place = await scratch();
    await git(place.path, 'clone', '--quiet', pets.directory, '.');
    await git(place.path, 'commit', '--quiet', '--allow-empty', '-m', 'plain');
    await git(place.path, 'push', '--quiet', 'origin', 'HEAD:refs/heads/plain');
    const sha = await git(place.path, 'rev-parse', 'HEAD');
    expect(await get('/git/ref/heads/plain')).toMatchObject({ body: { object: { sha } } });
  });
});
