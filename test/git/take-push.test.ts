import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createByteReader } from '../../src/git/byte-reader.ts';
import { createRepository } from '../../src/git/host.ts';
import { encodePkt, flushPkt } from '../../src/git/pkt-line.ts';
import { parseReceiveCommands } from '../../src/git/receive-commands.ts';
import { takePush, type PushSink } from '../../src/git/take-push.ts';
import { git, scratch } from './real-git.ts';

const zero = '0'.repeat(40);
let temporary: Awaited<ReturnType<typeof scratch>>;
let directory: string;
let commit: string;
const settled: unknown[] = [];
const failures: unknown[] = [];

const sink: PushSink = {
  maxBytes: 1_000_000,
  async *settled(moved) {
    settled.push(...moved);
    yield 'a line';
  },
  failed: (error) => failures.push(error),
};

beforeEach(async () => {
  settled.length = 0;
  failures.length = 0;
  temporary = await scratch();
  directory = join(temporary.path, '1.git');
  await createRepository(directory);
  commit = await git(directory, 'commit-tree', '-m', 'x', await git(directory, 'write-tree'));
  await git(directory, 'update-ref', 'refs/heads/topic', commit);
});

afterEach(() => temporary[Symbol.asyncDispose]());

async function take(source: AsyncIterable<Uint8Array>): Promise<string> {
  const reader = createByteReader(source);
  const request = await parseReceiveCommands(reader);
  return Buffer.concat(await Array.fromAsync(takePush(directory, request, reader, sink))).toString('utf8');
}

function commands(...lines: string[]): Uint8Array {
  const [first = '', ...rest] = lines;
  const capabilities = 'report-status side-band-64k';
  return Buffer.concat([
    encodePkt(`${first}\0${capabilities}`),
    ...rest.map((line) => encodePkt(line)),
    flushPkt,
  ]);
}

test('a client that breaks off within the pack: git ends, and nothing moves', async () => {
  async function* brokenOff(): AsyncGenerator<Uint8Array> {
    yield commands(`${zero} ${'3'.repeat(40)} refs/heads/new`);
    yield Buffer.from('PACK');
    throw new Error('aborted');
  }
  expect(await take(brokenOff())).toMatch(/ng refs\/heads\/new unpacker error/);
  expect(settled).toEqual([]);
});

test('what is sent after git has ended is read to its end', async () => {
  let ended = false;
  async function* longer(): AsyncGenerator<Uint8Array> {
    yield commands(`${zero} ${'3'.repeat(40)} refs/heads/new`);
    for (let sent = 0; sent < 100; sent++) yield Buffer.alloc(65_536, 'x');
    ended = true;
  }
  expect(await take(longer())).toMatch(/ng refs\/heads\/new unpacker error/);
  expect(ended).toBe(true);
});

test('of two commands the one that git refuses is not settled', async () => {
  async function* both(): AsyncGenerator<Uint8Array> {
    yield commands(`${commit} ${zero} refs/heads/topic`, `${commit} ${zero} refs/heads/absent`);
  }
  const answer = await take(both());
  expect(answer).toMatch(/ok refs\/heads\/topic\n.{4}ng refs\/heads\/absent [^]*a line\n0000$/);
  expect(settled).toEqual([{ ref: 'refs/heads/topic', before: commit, after: zero }]);
  expect(await git(directory, 'rev-parse', `refs/ame/keep/${commit}`)).toBe(commit);
  expect(failures).toEqual([]);
});

test('a repository that is gone is an error, and nothing is settled', async () => {
  await temporary[Symbol.asyncDispose]();
  async function* one(): AsyncGenerator<Uint8Array> {
    yield commands(`${commit} ${zero} refs/heads/topic`);
  }
  await expect(take(one())).rejects.toThrow('git');
  expect(settled).toEqual([]);
});
