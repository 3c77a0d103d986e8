import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { GithubGoneError } from '../../src/github/errors.ts';
import { readPush } from '../../src/github/push.ts';
import { onFake } from './on-fake.ts';

const on = onFake();
const run = promisify(execFile);
const zero = '0'.repeat(40);
const file = 'name: pets\n';

test('a push to the default branch is read in one request', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const first = await there.commit({ 'ame.yaml': file, 'a.py': '1\n' });
  const second = await there.commit({ 'ame.yaml': 'name: cats\n', 'ame.yml': '' });
  const push = await readPush(connect(), here, second);
  expect(push).toEqual({
    owner: 'acme',
    name: there.name,
    after: {
      commit: second.after,
      file: { id: expect.any(String), content: Buffer.from('name: cats\n'), mode: '100644' },
      misnamed: true,
      named: { submodules: [], lfs: [] },
    },
    before: { commit: first.after, fileId: expect.any(String) },
    now: { id: second.after, commit: second.after },
    defaultBranch: { name: 'main', commit: second.after, fileId: push.after?.file?.id },
  });
  expect(push.before?.fileId).not.toBe(push.after?.file?.id);
  expect(asked()).toEqual(['graphql']);
});

test('a new branch, a branch that has moved on, and a deleted one', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const main = await there.commit({ 'a.py': '1\n' });
  const made = await there.commit({ 'ame.yaml': file }, { branch: 'topic/é' });
  expect(made.before).toBe(zero);
  const github = connect();
  const created = await readPush(github, here, made);
  expect(created.before).toBeNull();
  expect(created.defaultBranch).toEqual({ name: 'main', commit: main.after, fileId: null });
  expect(created.now?.commit).toBe(made.after);

  const later = await there.commit({ 'a.py': '2\n' }, { branch: 'topic/é' });
  const late = await readPush(github, here, made);
  expect(late.after?.commit).toBe(made.after);
  expect(late.now?.commit).toBe(later.after);

  const deleted = await readPush(github, here, await there.deleteRef('refs/heads/topic/é'));
  expect(deleted).toMatchObject({ after: null, now: null, before: { commit: later.after } });
});

test('a force push tells what was there before; what GitHub never had is nothing', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const first = await there.commit({ 'ame.yaml': file });
  const second = await there.commit({ 'ame.yaml': 'name: cats\n' });
  const forced = await there.forcePush({ 'a.py': '1\n' }, { from: first.after });
  const github = connect();
  const push = await readPush(github, here, forced);
  expect(push.before?.commit).toBe(second.after);
  expect(push.after?.file?.content.toString()).toBe(file);
  const unknown = { ref: forced.ref, before: 'a'.repeat(40), after: 'b'.repeat(40) };
  expect(await readPush(github, here, unknown)).toMatchObject({ before: null, after: null });
});

test('tags lead to their commit, through a tag of a tag', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const { after: commit } = await there.commit({ 'ame.yaml': file });
  const plain = await there.tag('v1', commit);
  const annotated = await there.tag('v2', commit, { message: 'The second' });
  const github = connect();
  expect(await readPush(github, here, plain)).toMatchObject({
    after: { commit },
    now: { id: commit, commit },
  });
  expect(annotated.after).not.toBe(commit);
  const push = await readPush(github, here, annotated);
  expect(push).toMatchObject({ after: { commit }, now: { id: annotated.after, commit }, before: null });
  expect(push.after?.file?.content.toString()).toBe(file);
  const moved = await there.tag('v2', commit, { message: 'Once more' });
  expect((await readPush(github, here, moved)).before?.commit).toBe(commit);
  expect(asked()).toEqual(['graphql', 'graphql', 'graphql']);
  const person = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  const tag = async (...args: readonly string[]): Promise<void> =>
    void (await run('git', ['-C', there.directory, ...person, 'tag', '-a', '-m', 'm', ...args]));
  await tag('v3', 'v2');
  await tag('tree', `${commit}^{tree}`);
  const zeroTo = async (ref: string) => ({ ref, before: zero, after: (await there.read(ref)) ?? '' });
  expect(await readPush(github, here, await zeroTo('refs/tags/v3'))).toMatchObject({ after: { commit } });
  const tree = await readPush(github, here, await zeroTo('refs/tags/tree'));
  expect(tree).toMatchObject({ after: null, now: { commit: null } });
});

test.each<[string, Uint8Array, number]>([
  ['a NUL', Buffer.from('name: pe\0ts\n'), 2],
  ['a byte that is no UTF-8', Buffer.from('name: p\xe9ts\n', 'latin1'), 2],
  ['three bytes that are replaced by as many', Buffer.from([0x61, 0xe2, 0x82, 0x0a, 0xf0, 0x9f, 0x98]), 2],
  ['UTF-16', Buffer.from('\ufeffname: pets\n', 'utf16le'), 2],
  ['a byte order mark', Buffer.from('\ufeffname: pets\r\n'), 1],
  ['no end of its last line', Buffer.from('name: pets'), 1],
  ['nothing', Buffer.alloc(0), 1],
  ['256 KiB', Buffer.alloc(256 * 1024, 'é'), 1],
  ['256 KiB of anything', Buffer.alloc(256 * 1024, '\xe9\n', 'latin1'), 2],
])('ame.yaml with %s arrives as git has it', async (_, content, requests) => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const pushed = await there.commit({ 'ame.yaml': content });
  const { after } = await readPush(connect(), here, pushed);
  expect(Buffer.compare(after?.file?.content ?? Buffer.from('none'), content)).toBe(0);
  expect(asked()).toHaveLength(requests);
});

test.each([
  ['text', Buffer.alloc(256 * 1024 + 1, 'x')],
  ['a megabyte of text', Buffer.alloc(1024 * 1024, 'x')],
  ['a megabyte of anything', Buffer.alloc(1024 * 1024, '\0')],
])('a file that is too long (%s) is cut and costs no second request', async (_, content) => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const { after } = await readPush(connect(), here, await there.commit({ 'ame.yaml': content }));
  expect(after?.file?.content).toHaveLength(256 * 1024 + 1);
  expect(asked()).toEqual(['graphql']);
});

test('a link keeps its mode; a directory and a submodule are no file', async () => {
  const { connect, repository } = on();
  const github = connect();
  const { there, here } = await repository();
  const link = await there.commit({ 'ame.yaml': { mode: '120000', content: 'other.yaml' } });
  expect((await readPush(github, here, link)).after?.file).toMatchObject({
    mode: '120000',
    content: Buffer.from('other.yaml'),
  });
  const executable = await there.commit({ 'ame.yaml': { mode: '100755', content: file } });
  expect((await readPush(github, here, executable)).after?.file?.mode).toBe('100755');
  const directory = await there.commit({ 'ame.yaml': null, 'ame.yaml/a': '', 'ame.yml/a': '' });
  expect((await readPush(github, here, directory)).after).toMatchObject({ file: null, misnamed: false });
  const submodule = await there.commit({
    'ame.yaml/a': null,
    'ame.yaml': { mode: '160000', content: link.after },
  });
  expect((await readPush(github, here, submodule)).after?.file).toBeNull();
});

test('what the commit says of content elsewhere is told', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const pushed = await there.commit({
    'ame.yaml': file,
    '.gitattributes': '*.pt filter=lfs diff=lfs merge=lfs -text\n',
    '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n',
    lib: { mode: '160000', content: 'c'.repeat(40) },
  });
  const { after } = await readPush(connect(), here, pushed);
  expect(after?.named).toEqual({ submodules: ['lib'], lfs: ['*.pt'] });
});

test('a renamed repository is read under its old name, and tells the new one', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const pushed = await there.commit({ 'ame.yaml': file });
  await fake.rename(there, 'renamed');
  const push = await readPush(connect(), here, pushed);
  expect(push).toMatchObject({ owner: 'acme', name: 'renamed', after: { commit: pushed.after } });
});

test('another repository that has the name now is not the one that is meant', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository({ private: false });
  const pushed = await there.commit({ 'ame.yaml': file });
  const other = { ...here, hostId: String((await repository()).there.id) };
  await expect(readPush(connect(), other, pushed)).rejects.toThrow(GithubGoneError);
  await expect(readPush(connect(), { ...here, name: 'none' }, pushed)).rejects.toThrow(GithubGoneError);
});

test('an empty repository has no default branch', async () => {
  const { connect, repository } = on();
  const { here } = await repository();
  const push = await readPush(connect(), here, { ref: 'refs/heads/main', before: zero, after: zero });
  expect(push).toMatchObject({ after: null, before: null, now: null, defaultBranch: null });
});

test('a branch that has a whole ref as its name is not taken for that ref', async () => {
  const { connect, repository } = on();
  const { there, here } = await repository();
  const pushed = await there.commit({ 'ame.yaml': file }, { branch: 'refs/heads/x' });
  expect(pushed.ref).toBe('refs/heads/refs/heads/x');
  const push = await readPush(connect(), here, { ...pushed, ref: 'refs/heads/x' });
  expect(push.now).toBeNull();
});
