import { expect, test } from 'vitest';
import type { Check, CheckAnnotation } from '../../src/core/check.ts';
import { chunkAnnotations } from '../../src/github/check-body.ts';
import { createCheck, findCheck, readCheckState, updateCheck } from '../../src/github/check.ts';
import { GithubAwayError, GithubGoneError } from '../../src/github/errors.ts';
import { onFake } from './on-fake.ts';

const on = onFake();

const says: Check = {
  name: 'ame / train',
  status: 'queued',
  conclusion: null,
  title: 'Waiting to start 1 task',
  summary: 'A run',
  text: 'A table',
  annotations: [],
  lines: [],
  externalId: 'run:1',
  url: 'https://ame.example/runs/1',
};

function notes(count: number): readonly CheckAnnotation[] {
  return Array.from({ length: count }, (_, at) => ({
    path: 'ame.yaml',
    line: at + 1,
    column: at % 2 === 0 ? 3 : null,
    level: 'warning',
    title: `note ${at}`,
    message: 'a message',
  }));
}

test('a check from its first word to its verdict', async () => {
  const { connect, repository, fake, asked } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const github = connect();
  const cancel = { label: 'Cancel', description: 'Ends this run', identifier: 'cancel' };
  const id = await createCheck(github, here, sha, { ...says, actions: [cancel] });
  expect(fake.checkRuns(there)).toMatchObject([
    {
      headSha: sha,
      name: 'ame / train',
      externalId: 'run:1',
      status: 'queued',
      conclusion: null,
      detailsUrl: 'https://ame.example/runs/1',
      title: 'Waiting to start 1 task',
      text: 'A table',
      actions: [cancel],
    },
  ]);
  await updateCheck(github, here, id, { ...says, status: 'in_progress', actions: [cancel] });
  const running = { id, status: 'in_progress', conclusion: null, annotationsCount: 0 };
  expect(await readCheckState(github, here, id)).toEqual(running);
  await updateCheck(github, here, id, { ...says, status: 'completed', conclusion: 'failure', text: '' });
  const ended = { id, status: 'completed', conclusion: 'failure', annotationsCount: 0 };
  expect(await readCheckState(github, here, id)).toEqual(ended);
  expect(fake.checkRuns(there)).toMatchObject([{ actions: [], text: '' }]);
  expect(asked()).toEqual(['checks/create', 'checks/update', 'checks/get', 'checks/update', 'checks/get']);
});

test.each([0, 1, 49, 50, 51, 1000])('%i annotations arrive once and in order', async (count) => {
  const { connect, repository, fake, asked } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const github = connect();
  const full: Check = { ...says, status: 'completed', conclusion: 'failure', annotations: notes(count) };
  const id = await createCheck(github, here, sha, full);
  for (const annotations of chunkAnnotations(full.annotations).slice(1))
    await updateCheck(github, here, id, full, { annotations });
  expect((await readCheckState(github, here, id)).annotationsCount).toBe(count);
  const [run] = fake.checkRuns(there);
  expect(run?.annotations.map(({ title }) => title)).toEqual(full.annotations.map(({ title }) => title));
  expect(asked()).toHaveLength(Math.max(1, Math.ceil(count / 50)) + 1);
});

test('text of any length arrives within the limits', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const long = '😀é'.repeat(20_000);
  const id = await createCheck(connect(), here, sha, {
    ...says,
    name: long,
    title: long,
    summary: long,
    text: long,
    annotations: [{ path: 'a.py', line: 1, column: 1, level: 'notice', title: long, message: long }],
    actions: [{ label: long, description: long, identifier: 'x' }],
  });
  const [run] = fake.checkRuns(there);
  expect(String(run?.id)).toBe(id);
  expect(Buffer.byteLength(run?.text ?? '')).toBeGreaterThan(65_500);
  const wanted = { sha, name: long, externalId: 'run:1' };
  expect(await findCheck(connect(), here, wanted)).toMatchObject({ id });
});

test('after a lost answer the check that was made is found', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const github = connect();
  const wanted = { sha, name: says.name, externalId: says.externalId };
  expect(await findCheck(github, here, wanted)).toBeNull();
  fake.loseAnswerNext('checks/create');
  await expect(createCheck(github, here, sha, says)).rejects.toThrow(GithubAwayError);
  const found = await findCheck(github, here, wanted);
  expect(found).toMatchObject({ status: 'queued', conclusion: null, annotationsCount: 0 });
  await createCheck(github, here, sha, { ...says, externalId: 'run:2' });
  expect(await findCheck(github, here, wanted)).toEqual(found);
  const again = await createCheck(github, here, sha, says);
  expect((await findCheck(github, here, wanted))?.id).toBe(again);
  expect(await findCheck(github, here, { ...wanted, name: 'ame / test' })).toBeNull();
});

test('one among many of the same name is found', async () => {
  const { connect, repository, asked } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const github = connect();
  const id = await createCheck(github, here, sha, says);
  for (let count = 0; count < 100; count += 1)
    await createCheck(github, here, sha, { ...says, externalId: `run:${count + 2}` });
  asked();
  const wanted = { sha, name: says.name, externalId: says.externalId };
  expect((await findCheck(github, here, wanted))?.id).toBe(id);
  expect(asked()).toEqual(['checks/list-for-ref', 'checks/list-for-ref']);
});

test('a check of a repository that is not there for us', async () => {
  const { connect, repository, fake } = on();
  const { there, here } = await repository();
  const { after: sha } = await there.commit({ 'a.py': '1\n' });
  const github = connect();
  const id = await createCheck(github, here, sha, says);
  await fake.deleteRepository(there);
  await expect(readCheckState(github, here, id)).rejects.toThrow(GithubGoneError);
  await expect(updateCheck(github, here, id, says)).rejects.toThrow(GithubGoneError);
});
