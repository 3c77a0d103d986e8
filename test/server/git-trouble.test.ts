import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodePkt, flushPkt } from '../../src/git/pkt-line.ts';
import { git, tryGit, type Ended } from '../git/real-git.ts';
import { startGitHost, token, type GitHost } from './git-host.ts';

const zero = '0'.repeat(40);
let host: GitHost;
let work: string;
let head: string;

beforeEach(async () => {
  host = await startGitHost();
  work = join(host.directory, 'work');
  await git(host.directory, 'init', '--quiet', '--initial-branch=main', work);
  await git(work, 'remote', 'add', 'origin', host.address('ada', 'spam'));
  await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'first');
  head = await git(work, 'rev-parse', 'HEAD');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await host[Symbol.asyncDispose]();
});

function push(...args: string[]): Promise<Ended> {
  return tryGit(work, ['push', 'origin', ...args]);
}

const authorization = `Basic ${Buffer.from(`ame:${token}`).toString('base64')}`;

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

/** A request as a client of our own makes it. */
function request(path: string, init: Init = {}): Promise<Response> {
  return fetch(`${host.url}${path}`, { ...init, headers: { authorization, ...init.headers } });
}

/** A push that needs no pack: it moves a branch between commits that are there, or deletes it. */
function rawPush(capabilities: string, command: string, init: Init = {}): Promise<Response> {
  return request('/git/ada/spam.git/git-receive-pack', {
    method: 'POST',
    body: Buffer.concat([encodePkt(`${command}\0${capabilities}`), flushPkt]),
    ...init,
    headers: { 'content-type': 'application/x-git-receive-pack-request', ...init.headers },
  });
}

describe('while the database is away', () => {
  test('a push is refused and no ref moves; a fetch works', async () => {
    await push('main');
    host.deps.ready = async () => false;
    const refused = await push('main:topic');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      '[remote rejected] main -> topic (AME cannot reach its database; nothing was changed',
    );
    expect(await git(work, 'ls-remote', 'origin', 'topic')).toBe('');
    expect(host.pushes).toHaveLength(1);
  });

  test('the first contact is refused with a sentence', async () => {
    const failure = new Error('connection refused');
    host.deps.findOrCreateRepository = async () => {
      throw failure;
    };
    const refused = await push('main');
    expect(refused.code).toBe(128);
    expect(refused.err).toContain('remote: AME cannot reach its database; nothing was changed');
    expect(host.failures).toEqual([failure]);
  });

  test('a push that moved its refs before says that it is stored', async () => {
    host.deps.recordPush = async () => {
      throw new Error('connection lost');
    };
    const pushed = await push('main');
    expect(pushed.code).toBe(0);
    expect(pushed.err).toContain('remote: The push is stored. AME could not look at it yet');
    expect(await git(work, 'ls-remote', 'origin', 'main')).toContain(head);
    expect(host.failures).toMatchObject([{ message: 'connection lost' }]);
  });
});

describe('while the database does not answer', () => {
  const never = (): Promise<never> => new Promise(() => {});

  test('a push that moved its refs before says that it is stored', async () => {
    host.deps.patience = 50;
    host.deps.recordPush = never;
    const pushed = await push('main');
    expect(pushed.code).toBe(0);
    expect(pushed.err).toContain('remote: The push is stored. AME could not look at it yet');
    expect(await git(work, 'ls-remote', 'origin', 'main')).toContain(head);
    expect(host.failures).toMatchObject([{ name: 'TimeoutError' }]);
  });

  test.each(['ready', 'findOrCreateRepository'] as const)('(%s) a push is refused', async (asked) => {
    await push('main');
    host.deps.patience = 50;
    host.deps[asked] = never;
    const answered = await rawPush('report-status', `${head} ${zero} refs/heads/main`);
    expect(await answered.text()).toContain(
      'ng refs/heads/main AME cannot reach its database; nothing was changed',
    );
    expect(host.pushes).toHaveLength(1);
  });

  test('the first contact is refused with a sentence', async () => {
    host.deps.patience = 50;
    host.deps.findRepository = never;
    const refused = await tryGit(work, ['fetch', 'origin']);
    expect(refused.code).toBe(128);
    expect(refused.err).toContain('AME cannot reach its database');
  });
});

describe('the lines', () => {
  test('a decision that does not come in time ends the push with a word about it', async () => {
    host.deps.patience = 20;
    const never = new Promise<never>(() => undefined);
    host.deps.decisionLines = async function* () {
      yield 'looking';
      await never;
    };
    const pushed = await push('main');
    expect(pushed.code).toBe(0);
    expect(pushed.err).toMatch(
      /remote: looking[^]*remote: AME is still deciding; the answer will be on the commit\./,
    );
  });

  test('cannot reach into the terminal', async () => {
    host.deps.decisionLines = async function* () {
      yield 'branch \u001b[2J\u0007\u202etxt.exe\u009b31m\nsecond line\r\nthird';
    };
    const { err } = await push('main');
    expect(err).toMatch(/remote: branch \[2Jtxt\.exe31m *\n/);
    expect(err).toMatch(/remote: second line *\n/);
    expect(err).toMatch(/remote: third *\n/);
  });

  test('a client without side-band gets the bare report', async () => {
    await push('main', 'main:topic');
    const answered = await rawPush('report-status', `${head} ${zero} refs/heads/topic`);
    expect(await answered.text()).toBe('000eunpack ok\n0018ok refs/heads/topic\n0000');
    expect(host.pushes[1]?.refs).toEqual([{ ref: 'refs/heads/topic', before: head, after: zero }]);
  });

  test('a client that wants no report gets none, and its push is recorded by what the refs hold', async () => {
    await push('main', 'main:topic');
    const answered = await rawPush('delete-refs', `${head} ${zero} refs/heads/topic`);
    expect(await answered.text()).toBe('');
    expect(host.pushes[1]?.refs).toEqual([{ ref: 'refs/heads/topic', before: head, after: zero }]);
  });

  test('a packed request is read as any other', async () => {
    await push('main', 'main:topic');
    const body = gzipSync(
      Buffer.concat([encodePkt(`${head} ${zero} refs/heads/topic\0report-status side-band-64k`), flushPkt]),
    );
    const answered = await rawPush('', '', { body, headers: { 'content-encoding': 'gzip' } });
    const text = await answered.text();
    expect(text).toContain('ok refs/heads/topic');
    expect(text).toMatch(/decided delivery-2-0\n0000$/);
  });
});

describe('what git itself refuses', () => {
  test.each([
    { what: 'a ref that has moved since', command: `NEXT ${zero} refs/heads/topic` },
    { what: 'a name with a space', command: `${zero} HEAD refs/heads/a b` },
    { what: 'a name that leaves the directory', command: `${zero} HEAD refs/heads/../../x` },
    { what: 'a name outside refs', command: `${zero} HEAD config` },
    { what: 'a commit that is not there', command: `${zero} ${'2'.repeat(40)} refs/heads/new` },
  ])('$what is answered with ng and not recorded', async ({ command }) => {
    await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'next');
    await push('main', `${head}:refs/heads/topic`);
    const next = await git(work, 'rev-parse', 'HEAD');
    const answered = await rawPush('report-status', command.replace('HEAD', head).replace('NEXT', next));
    expect(await answered.text()).toMatch(/^.{4}unpack .+\n.{4}ng \S+ .+/);
    expect(host.pushes).toHaveLength(1);
    expect((await git(work, 'ls-remote', 'origin')).split('\n')).toHaveLength(3);
  });
});

describe('a client that leaves', () => {
  /** Sends a request, waits until the server has read it, and breaks the connection. */
  async function sendAndLeave(body: Uint8Array): Promise<void> {
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    host.deps.ready = async () => {
      arrived.resolve();
      await left.promise;
      return true;
    };
    const { hostname, port } = new URL(host.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', left.reject);
    socket.on('close', () => left.resolve());
    socket.write(
      `POST /git/ada/spam.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
        `Content-Type: application/x-git-receive-pack-request\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await arrived.promise;
    socket.resetAndDestroy();
    await left.promise;
  }

  test('is not waited for: the push is carried out and recorded', async () => {
    await push('main', 'main:topic');
    const recorded = Promise.withResolvers<string>();
    host.deps.recordPush = async (_id, refs) => {
      recorded.resolve(refs.map(({ ref, after }) => `${ref} ${after}`).join());
      return [];
    };
    const command = encodePkt(`${head} ${zero} refs/heads/topic\0report-status side-band-64k`);
    await sendAndLeave(Buffer.concat([command, flushPkt]));
    expect(await recorded.promise).toBe(`refs/heads/topic ${zero}`);
  });
});

describe('what is checked in a push', () => {
  /** A commit of a tree with one file, both written without git's own checks. */
  async function handmade(fileName: string, zone: string): Promise<string> {
    const write = async (type: string, content: string | Uint8Array) =>
      (await tryGit(work, ['hash-object', '-w', '-t', type, '--literally', '--stdin'], content)).out.trim();
    const blob = await write('blob', 'x');
    const entry = Buffer.concat([Buffer.from(`100644 ${fileName}\0`), Buffer.from(blob, 'hex')]);
    const tree = await write('tree', entry);
    const person = `Ada <ada@example.com> 1600000000 ${zone}`;
    return write('commit', `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nhandmade\n`);
  }

  test('a tree that would write into .git is refused', async () => {
    const refused = await push(`${await handmade('.git', '+0000')}:refs/heads/main`);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('hasDotgit');
    expect(host.pushes).toEqual([]);
  });

  test('a time zone that never was, as old histories have it, is not', async () => {
    expect(await push(`${await handmade('a', '+51800')}:refs/heads/main`)).toMatchObject({ code: 0 });
  });
});

test('hooks and settings that lie in a repository or around the server never run', async () => {
  await push('main');
  const directory = host.repositories.get('ada/spam')?.directory ?? '';
  const trace = join(host.directory, 'ran');
  const script = `#!/bin/sh\ntouch ${trace}\n`;
  await mkdir(join(directory, 'hooks'));
  for (const name of ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction']) {
    await writeFile(join(directory, 'hooks', name), script);
    await chmod(join(directory, 'hooks', name), 0o755);
  }
  vi.stubEnv('GIT_DIR', '/nonexistent');
  vi.stubEnv('GIT_CONFIG_COUNT', '1');
  vi.stubEnv('GIT_CONFIG_KEY_0', 'receive.denyCreates');
  vi.stubEnv('GIT_CONFIG_VALUE_0', 'true');
  expect(await push('main:topic')).toMatchObject({ code: 0 });
  expect(existsSync(trace)).toBe(false);
});

describe('who and what is let in', () => {
  test.each(['', 'ame:wrong@', `${token}:@`])('a client that comes as "%s" is not', async (who) => {
    const address = host.address('ada', 'spam').replace(/\/\/.*@/, `//${who}`);
    const pushed = await tryGit(work, ['push', address, 'main']);
    expect(pushed.code).toBe(128);
    expect(pushed.err).toMatch(/Authentication failed|could not read (Username|Password)/);
    expect(host.repositories.size).toBe(0);
  });

  test('a request without a token is told what is asked for', async () => {
    const answered = await fetch(`${host.url}/git/ada/spam/info/refs?service=git-upload-pack`);
    expect(answered.status).toBe(401);
    expect(answered.headers.get('www-authenticate')).toMatch(/^Basic realm="AME"/);
  });

  test.each([
    ['/git/ada/spam/info/refs', 400],
    ['/git/ada/spam/info/refs?service=git-upload-archive', 400],
    ['/git/ada/spam/info/refs?service=git-upload-pack', 404],
    ['/git/ada/spam.git/info/refs?service=git-receive-pack', 200],
    ['/git/ada/spam.git.git/info/refs?service=git-receive-pack', 400],
    ['/git/ada/spam.lock/info/refs?service=git-receive-pack', 400],
    ['/git/ada/.git/info/refs?service=git-receive-pack', 400],
    ['/git/ada/%2e%2e/info/refs?service=git-receive-pack', 404],
    ['/git/ada/..%2f..%2fetc/info/refs?service=git-receive-pack', 400],
    ['/git/-x/spam/info/refs?service=git-receive-pack', 400],
    ['/git/ada/a%20b/info/refs?service=git-receive-pack', 400],
    ['/git/ada/a%00b/info/refs?service=git-receive-pack', 400],
    [`/git/ada/${'x'.repeat(101)}/info/refs?service=git-receive-pack`, 400],
    ['/git/ada/spam/HEAD', 404],
    ['/git/ada/spam/objects/info/packs', 404],
  ])('GET %s is %i', async (path, status) => {
    expect((await request(path)).status).toBe(status);
    expect(host.repositories.size).toBe(status === 200 ? 1 : 0);
  });

  test.each([
    { what: 'another type', init: { headers: { 'content-type': 'text/plain' } }, status: 415 },
    { what: 'another packing', init: { headers: { 'content-encoding': 'br' } }, status: 415 },
    { what: 'no framing', init: { body: 'hello' }, status: 400 },
    { what: 'no commands', init: { body: '0009hello0000' }, status: 400 },
    { what: 'broken gzip', init: { headers: { 'content-encoding': 'gzip' }, body: 'hello' }, status: 400 },
    { what: 'half a request', init: { body: '0032' }, status: 400 },
    { what: 'nothing to do', init: { body: '0000' }, status: 200 },
  ])('a push with $what is $status', async ({ init, status }) => {
    const answered = await rawPush('report-status', `${head} ${zero} refs/heads/x`, init);
    expect(answered.status).toBe(status);
    expect(host.pushes).toEqual([]);
  });
});
