import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  link as hardLink,
  lutimes,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchWorkspace } from '../../src/agent/fetch.ts';
import { noStates, type FileStates } from '../../src/agent/file-states.ts';
import { describeRefusals } from '../../src/agent/refusals.ts';
import { scan } from '../../src/agent/scan.ts';
import { walk, type Walk } from '../../src/agent/walk.ts';
import { decodeTree, emptyTreeDigest } from '../../src/core/snapshot/encode.ts';
import { entriesOf } from '../../src/core/snapshot/lookup.ts';
import { createBlobDoor, saved } from './blob-door.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ame-scan-'));
  directory = join(root, 'workspace');
  await mkdir(directory);
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const put = async (path: string, content = path) => {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
};
/** Nanoseconds, far enough ahead that everything made so far has settled. */
const later = () => (BigInt(Date.now()) + 10_000n) * 1_000_000n;
const look = (known: FileStates = noStates, now = later()) => walk({ directory, known, now });

async function pathsOf(found: Walk): Promise<string[]> {
  const read = async (digest: string) => decodeTree(found.trees.get(digest) ?? new Uint8Array());
  return (await Array.fromAsync(entriesOf(read, found.root))).map(({ path }) => path);
}

describe('a walk', () => {
  test('sees files, links, empty directories and names that are any bytes', async () => {
    await put('a/b/f');
    await put('run.sh');
    await chmod(join(directory, 'run.sh'), 0o755);
    await mkdir(join(directory, 'hollow'));
    await symlink('a/b', join(directory, 'link'));
    await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), 'x');
    expect(await pathsOf(look())).toEqual(['a', 'a/b', 'a/b/f', 'hollow', 'link', 'run.sh', '\xff']);
  });

  test('of an empty directory is the empty tree', () => {
    expect(look().root).toBe(emptyTreeDigest);
  });

  test('leaves out what tools make anew, at any depth, and environments by what they hold', async () => {
    const kept = ['src/a.py', 'venv/readme', 'data/.git-is-fine'];
    const left = [
      '.git/HEAD',
      'src/__pycache__/a.pyc',
      'web/node_modules/x/y.js',
      'my-env/pyvenv.cfg',
      'my-env/bin/p',
      '.DS_Store',
    ];
    for (const path of [...kept, ...left]) await put(path);
    await symlink('/usr/bin/python3', join(directory, 'my-env/bin/python'));
    await symlink('/elsewhere', join(directory, '.venv'));
    const found = look();
    const files = (await pathsOf(found)).filter((path) => path.includes('/'));
    expect([files.sort(), found.refusals]).toEqual([kept.toSorted(), []]);
  });

  test('keeps what was given of those, and only that', async () => {
    const door = createBlobDoor();
    const entries = [
      saved(door, 'node_modules/given.js', 'g'),
      saved(door, 'env/pyvenv.cfg', 'e'),
      saved(door, 'f', 'f'),
    ];
    await rm(directory, { recursive: true });
    const input = door.saveTree(entries);
    const known = await fetchWorkspace({ door, attempt: 1, root: input, directory });
    await put('node_modules/installed.js');
    await put('env/more');
    await utimes(join(directory, 'node_modules'), 1, 1);
    expect(look(known).root).toBe(input);
    await rm(join(directory, 'env'), { recursive: true });
    expect(await pathsOf({ ...look(known), trees: new Map([...door.blobs, ...look(known).trees]) })).toEqual([
      'f',
      'node_modules',
      'node_modules/given.js',
    ]);
  });

  test('names what no snapshot can hold', async () => {
    await mkdir(join(directory, 'd'));
    execFileSync('mkfifo', [join(directory, 'd/pipe')]);
    const server = createServer().listen(join(directory, 'socket'));
    await once(server, 'listening');
    await symlink('/etc/passwd', join(directory, 'absolute'));
    await symlink('../../x', join(directory, 'd/up'));
    await symlink('d', join(directory, 'inside'));
    const { refusals } = look();
    server.close();
    expect(refusals.map(({ path, why }) => `${path} ${why}`).sort()).toEqual(
      ['absolute leaves', 'd/pipe pipe', 'd/up leaves', 'socket socket'].sort(),
    );
  });

  test('says so when the workspace itself is gone, or is a link to somewhere else', async () => {
    await rm(directory, { recursive: true });
    expect(look().refusals).toEqual([{ path: '', why: 'gone' }]);
    await symlink('/etc', directory);
    expect(look().refusals).toEqual([{ path: '', why: 'gone' }]);
    expect(describeRefusals(look().refusals).message).toContain('its own directory (was removed');
  });

  test('never leaves the workspace while directories become links under its feet', async () => {
    const outside = join(root, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    const names = Array.from({ length: 40 }, (_, i) => `d${i}`);
    for (const name of names) await put(`${name}/${'x'.repeat(50)}`, name);
    const done = new AbortController();
    const scanning = scan({ directory, known: noStates, now: 0n }).finally(() => done.abort());
    for (let i = 0; !done.signal.aborted; i = (i + 1) % names.length) {
      const path = join(directory, names[i] ?? '');
      await rename(path, join(root, 'aside'));
      await symlink(outside, path);
      await unlink(path);
      await rename(join(root, 'aside'), path);
    }
    const { files } = await scanning;
    expect(files.filter(({ path }) => path.endsWith('secret'))).toEqual([]);
  });

  test('looks no deeper than paths can be made again', async () => {
    const name = 'n'.repeat(200);
    const deep = Array.from({ length: 18 }, () => name).join('/');
    await mkdir(join(directory, deep), { recursive: true });
    expect(look().refusals.map(({ path, why }) => [path.length, why])).toEqual([[18 * 201 - 1, 'too-long']]);
  });
});

describe('content', () => {
  test('that is known is not read again', async () => {
    await put('a/f');
    await put('g');
    const first = look();
    const second = look(first.states);
    expect([first.hashed, second.hashed, second.root === first.root]).toEqual([2, 0, true]);
    expect([second.files, second.trees.size]).toEqual([[], 0]);
  });

  test('that was touched less than two seconds before a walk is read again by the next', async () => {
    await put('f');
    const first = look(noStates, BigInt(Date.now()) * 1_000_000n);
    expect(look(first.states).hashed).toBe(1);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ['written over', async (path) => writeFile(path, 'F')],
    ['replaced', async (path) => rename(join(directory, '..', 'other'), path)],
    ['given another time', async (path) => utimes(path, 1, 1)],
    ['given another mode', async (path) => chmod(path, 0o600)],
    ['linked', async (path) => hardLink(path, join(directory, '..', 'copy'))],
  ])('that was %s is read again', async (_, change) => {
    await put('f', 'f');
    await writeFile(join(root, 'other'), 'G');
    const { states } = look();
    await change(join(directory, 'f'));
    expect(look(states).hashed).toBe(1);
  });

  test('written over with the same length and time is found out', async () => {
    await put('f', 'f');
    await utimes(join(directory, 'f'), 1, 1);
    const first = look();
    await writeFile(join(directory, 'f'), 'F');
    await utimes(join(directory, 'f'), 1, 1);
    expect(look(first.states).files.map(({ path }) => path)).toEqual(['f']);
  });

  test('that was restored is not read at all, even at once', async () => {
    const door = createBlobDoor();
    const input = door.saveTree(Array.from({ length: 30 }, (_, i) => saved(door, `d${i % 3}/f${i}`, `${i}`)));
    await rm(directory, { recursive: true });
    const known = await fetchWorkspace({ door, attempt: 1, root: input, directory });
    const now = BigInt(Date.now()) * 1_000_000n;
    await put('d1/new');
    await unlink(join(directory, 'd0/f0'));
    const found = look(known, now);
    expect([found.hashed, found.files.map(({ path }) => path)]).toEqual([1, ['d1/new']]);
    // Only d0, d1 and the root became other trees.
    expect(found.trees.size).toBe(3);
  });

  test('with a time that Node can only come close to keeps the time it was given', async () => {
    const door = createBlobDoor();
    const mtime = 1_700_000_000_123_456_789n;
    const link = { type: 'symlink', path: 'l', target: 'f', mtime } as const;
    const input = door.saveTree([saved(door, 'd/f', 'x', 0o644, mtime), link]);
    await rm(directory, { recursive: true });
    const known = await fetchWorkspace({ door, attempt: 1, root: input, directory });
    expect(look(known).root).toBe(input);
    await lutimes(join(directory, 'l'), 5, 5);
    expect(look(known).root).not.toBe(input);
  });
});

describe('the thread', () => {
  test('answers as the walk does', async () => {
    await put('a/f');
    const order = { directory, known: noStates, now: later() };
    const [here, there] = [walk(order), await scan(order)];
    expect([there.root, there.files, there.hashed]).toEqual([here.root, here.files, here.hashed]);
    expect((await scan({ ...order, known: there.states })).hashed).toBe(0);
  });

  test('hands on what went wrong', async () => {
    const order = { directory: 'a\0b', known: noStates, now: 0n };
    await expect(scan(order)).rejects.toThrow('null bytes');
  });

  test('ends with its signal', async () => {
    const order = { directory, known: noStates, now: 0n };
    await expect(scan(order, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    const stop = new AbortController();
    const walking = scan(order, stop.signal);
    stop.abort(new Error('meanwhile'));
    await expect(walking).rejects.toThrow('meanwhile');
  });

  test('works from a bundle', async () => {
    await put('f');
    const source = (name: string) => fileURLToPath(new URL(`../../src/agent/${name}.ts`, import.meta.url));
    await build({
      entryPoints: { scan: source('scan'), 'walk-worker': source('walk-worker') },
      outdir: join(root, 'dist'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: {
        js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
      },
    });
    const program = `
      const { scan } = await import(process.argv[1]);
      const known = { root: null, settledBefore: 0n, directories: new Map() };
      console.log((await scan({ directory: process.argv[2], known, now: 0n })).hashed);`;
    const args = ['--input-type=module', '-e', program, join(root, 'dist', 'scan.mjs'), directory];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: '' });
  });
});

test('refusals are told by name, ten of them', () => {
  const refusals = Array.from({ length: 12 }, (_, i) => ({ path: `p${i}\xff`, why: 'socket' }) as const);
  const { message } = describeRefusals([{ path: 'l', why: 'leaves', target: '/etc' }, ...refusals]);
  expect(message).toContain('l (a symbolic link that leaves the workspace, to /etc), p0\\xff (a socket)');
  expect(message).toContain('p8\\xff (a socket) and 3 more');
});
