import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { git, tryGit, type Ended } from '../git/real-git.ts';
import { startGitHost, type GitHost } from './git-host.ts';

const zero = '0'.repeat(40);
let host: GitHost;
let work: string;

beforeEach(async () => {
  host = await startGitHost();
  work = join(host.directory, 'work');
  await git(host.directory, 'init', '--quiet', '--initial-branch=main', work);
  await git(work, 'remote', 'add', 'origin', host.address('ada', 'spam'));
});

afterEach(() => host[Symbol.asyncDispose]());

async function commit(name: string, content: string | Uint8Array = name): Promise<string> {
  await writeFile(join(work, name), content);
  await git(work, 'add', '--all');
  await git(work, 'commit', '--quiet', '-m', `write ${name}`);
  return git(work, 'rev-parse', 'HEAD');
}

function push(...args: string[]): Promise<Ended> {
  return tryGit(work, ['push', 'origin', ...args]);
}

/** The host's refs as a client sees them. */
async function remoteRefs(): Promise<Record<string, string>> {
  const listed = await git(work, 'ls-remote', 'origin');
  const lines = listed.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => line.split('\t').toReversed()));
}

describe('a push', () => {
  test('makes the repository, is recorded, and tells what was decided', async () => {
    const head = await commit('ame.yaml', 'projectname: spam\n');
    const pushed = await push('main');
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.err).toContain('remote: decided delivery-1-0');
    expect(host.pushes).toEqual([
      {
        repositoryId: 1,
        refs: [{ ref: 'refs/heads/main', before: zero, after: head }],
        head: 'refs/heads/main',
      },
    ]);
    const clone = join(host.directory, 'clone');
    await git(host.directory, 'clone', '--quiet', host.address('ada', 'spam'), clone);
    expect(await git(clone, 'rev-parse', 'HEAD')).toBe(head);
    expect(host.failures).toEqual([]);
  });

  test('a force push is recorded with both ids, and what it left behind can still be fetched', async () => {
    const first = await commit('one');
    await push('main');
    await git(work, 'commit', '--quiet', '--amend', '-m', 'another');
    const second = await git(work, 'rev-parse', 'HEAD');
    expect(await push('main')).toMatchObject({ code: 1 });
    expect(await push('--force', 'main')).toMatchObject({ code: 0 });
    expect(host.failures).toEqual([]);
    expect(host.pushes[1]?.refs).toEqual([{ ref: 'refs/heads/main', before: first, after: second }]);
    expect(await remoteRefs()).toEqual({ HEAD: second, 'refs/heads/main': second });
    const directory = host.repositories.get('ada/spam')?.directory ?? '';
    expect(await git(directory, 'rev-parse', `refs/ame/keep/${first}`)).toBe(first);
    const fresh = join(host.directory, 'fresh');
    await git(host.directory, 'init', '--quiet', fresh);
    await git(fresh, 'fetch', '--quiet', '--depth=1', host.address('ada', 'spam'), first);
    expect(await git(fresh, 'rev-parse', 'FETCH_HEAD')).toBe(first);
  });

  test('a fast forward keeps no ref of its own', async () => {
    await commit('one');
    await push('main');
    await commit('two');
    await push('main');
    const directory = host.repositories.get('ada/spam')?.directory ?? '';
    expect(await git(directory, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  test('branches and tags come and go; the default branch stays', async () => {
    const head = await commit('one');
    await git(work, 'tag', 'light');
    await git(work, 'tag', '-a', 'v1', '-m', 'first');
    const tag = await git(work, 'rev-parse', 'v1');
    expect(await push('main', 'main:topic', 'light', 'v1')).toMatchObject({ code: 0 });
    const created = [
      { ref: 'refs/heads/main', before: zero, after: head },
      { ref: 'refs/heads/topic', before: zero, after: head },
      { ref: 'refs/tags/light', before: zero, after: head },
      { ref: 'refs/tags/v1', before: zero, after: tag },
    ];
    expect(host.pushes[0]?.refs.toSorted((one, other) => (one.ref < other.ref ? -1 : 1))).toEqual(created);
    expect(await push('--delete', 'topic', 'v1')).toMatchObject({ code: 0 });
    expect(host.pushes[1]?.refs).toEqual([
      { ref: 'refs/heads/topic', before: head, after: zero },
      { ref: 'refs/tags/v1', before: tag, after: zero },
    ]);
    expect(Object.keys(await remoteRefs())).toEqual(['HEAD', 'refs/heads/main', 'refs/tags/light']);
  });

  test.each([
    { branches: ['topic', 'main'], head: 'refs/heads/main' },
    { branches: ['zebra', 'master', 'alpha'], head: 'refs/heads/master' },
    { branches: ['only/this'], head: 'refs/heads/only/this' },
  ])('the first push decides the default branch: $branches', async ({ branches, head }) => {
    const id = await commit('one');
    expect(await push(...branches.map((branch) => `HEAD:refs/heads/${branch}`))).toMatchObject({ code: 0 });
    expect(host.pushes[0]?.head).toBe(head);
    expect((await remoteRefs())['HEAD']).toBe(id);
  });

  test.each([
    { others: ['zebra', 'master', 'alpha'], next: 'refs/heads/master' },
    { others: ['zebra', 'main/1', 'alpha'], next: 'refs/heads/alpha', first: 'only' },
    { others: [], next: 'refs/heads/main' },
  ])(
    'the default branch may be deleted, and $next takes its place',
    async ({ others, next, first = 'main' }) => {
      const id = await commit('one');
      await push(`HEAD:refs/heads/${first}`);
      if (others.length > 0) await push(...others.map((branch) => `HEAD:refs/heads/${branch}`));
      const deleted = await push('--delete', first);
      expect(deleted).toMatchObject({ code: 0 });
      expect(deleted.err).not.toContain('denyDeleteCurrent');
      expect(host.pushes.at(-1)).toEqual({
        repositoryId: 1,
        refs: [{ ref: `refs/heads/${first}`, before: id, after: zero }],
        head: next,
      });
      const listed = await remoteRefs();
      expect(listed[`refs/heads/${first}`]).toBeUndefined();
      expect(listed['HEAD']).toBe(others.length > 0 ? id : undefined);
      const clone = join(host.directory, 'clone');
      await git(host.directory, 'clone', '--quiet', host.address('ada', 'spam'), clone);
      expect(await git(clone, 'symbolic-ref', 'HEAD')).toBe(next);
      // A branch of the old name that comes back does not take the place again.
      expect(await push(`HEAD:refs/heads/${first}`)).toMatchObject({ code: 0 });
      expect(host.pushes.at(-1)?.head).toBe(next);
      expect(host.failures).toEqual([]);
    },
  );

  test('the default branch renamed in one push is followed', async () => {
    const id = await commit('one');
    await push('main');
    expect(await push(':main', 'HEAD:refs/heads/trunk')).toMatchObject({ code: 0 });
    expect(host.pushes[1]?.head).toBe('refs/heads/trunk');
    expect(await remoteRefs()).toEqual({ HEAD: id, 'refs/heads/trunk': id });
  });

  test('50 refs at once are taken, 51 are refused before any of them moves', async () => {
    await commit('one');
    const branches = (count: number) =>
      Array.from({ length: count }, (_, index) => `HEAD:refs/heads/b${index}`);
    const refused = await push(...branches(51));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('[remote rejected] HEAD -> b50 (more than 50 refs in one push)');
    expect(refused.err).toContain('remote: 51 refs at once, and AME takes 50');
    expect(await remoteRefs()).toEqual({});
    expect(await push(...branches(50))).toMatchObject({ code: 0 });
    expect(host.pushes.map(({ refs }) => refs.length)).toEqual([50]);
  });

  test('refs that are neither branch nor tag are refused by name, the others of the push are taken', async () => {
    const head = await commit('one');
    const pushed = await push('main', 'HEAD:refs/notes/x', 'HEAD:refs/ame/keep/x');
    expect(pushed.code).toBe(1);
    expect(pushed.err).toMatch(
      /\[remote rejected\] HEAD -> refs\/notes\/x \(only branches and tags .* can be pushed here\)/,
    );
    expect(pushed.err).toMatch(/\[remote rejected\] HEAD -> refs\/ame\/keep\/x \(only branches and tags/);
    expect(host.pushes[0]?.refs).toEqual([{ ref: 'refs/heads/main', before: zero, after: head }]);
    expect(await remoteRefs()).toEqual({ HEAD: head, 'refs/heads/main': head });
  });

  test('an atomic push with such a ref moves nothing', async () => {
    await commit('one');
    const pushed = await push('--atomic', 'main', 'HEAD:refs/notes/x');
    expect(pushed.err).toContain('another ref of the push was refused');
    expect(host.pushes).toEqual([]);
    expect(await remoteRefs()).toEqual({});
  });

  test('10 MB travel in chunks; a push beyond the limit is refused', async () => {
    const head = await commit('model.bin', randomBytes(10 * 1024 * 1024));
    expect(await push('main')).toMatchObject({ code: 0 });
    expect(host.pushes[0]?.refs).toEqual([{ ref: 'refs/heads/main', before: zero, after: head }]);
    host.deps.maxPushBytes = 1024 * 1024;
    await commit('larger.bin', randomBytes(4 * 1024 * 1024));
    const refused = await push('main');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('pack exceeds maximum allowed size');
    expect((await remoteRefs())['refs/heads/main']).toBe(head);
    expect(host.pushes).toHaveLength(1);
  });

  test('pushes to several branches at the same time are all recorded', async () => {
    await commit('one');
    await push('main');
    const pushed = await Promise.all([1, 2, 3, 4].map((number) => push(`HEAD:refs/heads/b${number}`)));
    expect(pushed.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const refs = host.pushes.slice(1).flatMap((recorded) => recorded.refs.map(({ ref }) => ref));
    expect(refs.toSorted()).toEqual(['b1', 'b2', 'b3', 'b4'].map((name) => `refs/heads/${name}`));
  });

  test('from a shallow clone', async () => {
    await commit('one');
    await commit('two');
    await push('main');
    work = join(host.directory, 'shallow');
    await git(host.directory, 'clone', '--quiet', '--depth=1', host.address('ada', 'spam'), work);
    expect(await git(work, 'rev-list', '--count', 'HEAD')).toBe('1');
    const third = await commit('three');
    expect(await push('main')).toMatchObject({ code: 0 });
    expect(host.pushes[1]?.refs).toMatchObject([{ after: third }]);
  });
});

describe('names of refs that look like something else', () => {
  const names = [
    '--upload-pack=x',
    '-oProxyCommand=x',
    'a$(id)',
    'a`id`',
    `a'b"c`,
    'a&&b;c|d',
    'a${IFS}b',
    '{{x}}<b>&amp;',
    'ｆｕｌｌ－ｗｉｄｔｈ',
    'grün/🌱',
    '@',
    'HEAD',
    'x'.repeat(200),
  ];

  test('are data: pushed, recorded and cloned as they are', async () => {
    const head = await commit('one');
    const refs = names.map((name) => `refs/heads/${name}`);
    const pushed = await push(...refs.map((ref) => `HEAD:${ref}`));
    expect(pushed).toMatchObject({ code: 0 });
    expect(new Set(host.pushes[0]?.refs.map(({ ref }) => ref))).toEqual(new Set(refs));
    const listed = await remoteRefs();
    expect(refs.map((ref) => listed[ref])).toEqual(refs.map(() => head));
    for (const name of ['--upload-pack=x', 'a$(id)']) {
      const clone = join(host.directory, `clone-${refs.indexOf(`refs/heads/${name}`)}`);
      await git(host.directory, 'clone', '--quiet', `--branch=${name}`, host.address('ada', 'spam'), clone);
      expect(await git(clone, 'rev-parse', 'HEAD')).toBe(head);
    }
    expect(host.failures).toEqual([]);
  });
});

describe('a name that is not UTF-8', () => {
  test('is refused beside the ref, and the others of the push stay', async () => {
    const head = await commit('one');
    // Written as git packs them, since not every file system takes such a name.
    const packed = Buffer.from(`${head} refs/heads/caf\xe9\n`, 'latin1');
    await writeFile(join(work, '.git', 'packed-refs'), packed);
    const pushed = await push('refs/heads/*:refs/heads/*');
    expect(pushed.code).toBe(1);
    expect(pushed.err).toContain(
      '[remote rejected] caf\ufffd -> caf\ufffd (the name of the ref is not UTF-8)',
    );
    expect(pushed.err).toContain('[remote rejected] main -> main (another ref of the push was refused)');
    expect(pushed.err).toMatch(/remote: AME keeps names of branches and tags in UTF-8: nothing was changed/);
    expect(pushed.err).not.toMatch(/HTTP 400|unknown ref|did not report/);
    expect(host.pushes).toEqual([]);
    expect(host.failures).toEqual([]);
    expect(await remoteRefs()).toEqual({});
    expect(await push('main')).toMatchObject({ code: 0 });
  });
});

describe('a fetch', () => {
  test.each([0, 1, 2])('by protocol version %i: whole, shallow and without blobs', async (version) => {
    const first = await commit('one');
    const head = await commit('two');
    await push('main');
    const protocol = ['-c', `protocol.version=${version}`];
    for (const depth of [[], ['--depth=1'], ['--filter=blob:none', '--no-checkout']]) {
      const clone = join(host.directory, `clone${depth.join('')}`.replaceAll(/\W/g, '-'));
      await git(
        host.directory,
        ...protocol,
        'clone',
        '--quiet',
        ...depth,
        host.address('ada', 'spam'),
        clone,
      );
      expect(await git(clone, 'rev-parse', 'HEAD')).toBe(head);
      const seen = await git(clone, 'rev-list', 'HEAD');
      expect(seen.split('\n')).toEqual(depth.includes('--depth=1') ? [head] : [head, first]);
    }
    expect(host.failures).toEqual([]);
  });

  test('with so much history in common that the client packs its request', async () => {
    await commit('one');
    await push('main');
    const clone = join(host.directory, 'clone');
    await git(host.directory, 'clone', '--quiet', host.address('ada', 'spam'), clone);
    // Commits that the server does not know are offered one by one, well over the 1 KiB from which git packs.
    for (let index = 0; index < 40; index++) {
      await git(clone, 'commit', '--quiet', '--allow-empty', '-m', `local ${index}`);
    }
    const head = await commit('two');
    await push('main');
    const fetched = await tryGit(clone, ['-c', 'protocol.version=0', 'fetch', '--quiet', 'origin', 'main']);
    expect(fetched).toMatchObject({ code: 0 });
    expect(await git(clone, 'rev-parse', 'FETCH_HEAD')).toBe(head);
  });

  test('of a repository that nobody pushed to says so', async () => {
    const cloned = await tryGit(host.directory, ['clone', host.address('ada', 'none'), 'clone']);
    expect(cloned.code).toBe(128);
    expect(cloned.err).toContain('remote: there is no repository ada/none; a push creates it');
    expect(host.repositories.size).toBe(0);
  });
});
