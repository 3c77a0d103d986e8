import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, tokenFor } from './asking.ts';
import { createFakeGithub, type FakeGithub } from './github.ts';
import type { FakeRepository } from './github/repository.ts';

let github: FakeGithub;
let pets: FakeRepository;
let sha: string;
let token: string;

beforeAll(async () => {
  github = await createFakeGithub();
  const acme = await github.addInstallation({ account: 'acme' });
  pets = await github.addRepository(acme, { name: 'pets' });
  ({ after: sha } = await pets.commit({ 'ame.yaml': 'name: pets\n' }));
  token = await tokenFor(github, acme);
});

afterAll(() => github[Symbol.asyncDispose]());

const create = (body: object) =>
  ask(github, token, 'POST /repos/acme/pets/check-runs', { name: 'ame', head_sha: sha, ...body });
const update = (id: number, body: object) =>
  ask(github, token, `PATCH /repos/acme/pets/check-runs/${id}`, body);
const get = (path: string) => ask(github, token, `GET /repos/acme/pets${path}`);
const idOf = ({ body }: { readonly body: unknown }): number => (body as { readonly id: number }).id;
const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' };
const output = (more: object) => ({ output: { title: 't', summary: 's', ...more } });

test('a check run lives from queued to completed', async () => {
  const id = idOf(await create({ external_id: 'run:1', details_url: 'http://127.0.0.1/1' }));
  expect(await update(id, { status: 'in_progress' })).toMatchObject({ body: { status: 'in_progress' } });
  const done = await update(id, {
    conclusion: 'success',
    actions: [{ label: 'Again', description: 'Once more', identifier: 'again' }],
    ...output({ text: 'x' }),
  });
  expect(done).toMatchObject({
    status: 200,
    body: {
      status: 'completed',
      conclusion: 'success',
      completed_at: expect.any(String),
      external_id: 'run:1',
      app: { id: Number(github.app.id) },
    },
  });
  expect(await update(id, { status: 'in_progress' })).toMatchObject({
    body: { status: 'in_progress', conclusion: null, completed_at: null },
  });
  expect(await get(`/check-runs/${id}`)).toMatchObject({ body: { output: { title: 't', text: 'x' } } });
  expect(github.checkRuns(pets).find((run) => run.id === id)).toMatchObject({
    externalId: 'run:1',
    actions: [{ identifier: 'again' }],
  });
  expect(github.violations).toEqual([]);
});

test('annotations append', async () => {
  const chunk = Array.from({ length: 50 }, (_, at) => ({ ...annotation, message: `m${at}` }));
  const id = idOf(await create(output({ annotations: chunk })));
  const updated = await update(id, output({ annotations: chunk.slice(0, 2) }));
  expect(updated).toMatchObject({ body: { output: { annotations_count: 52 } } });
  const page = await get(`/check-runs/${id}/annotations?per_page=50&page=2`);
  expect(page).toMatchObject({ body: [{ message: 'm0', start_column: null }, { message: 'm1' }] });
});

test('runs of a commit are listed by name, the newest of each unless all are asked for', async () => {
  const { after } = await pets.commit({ more: 'x' });
  const first = idOf(await create({ head_sha: after, name: 'one' }));
  const second = idOf(await create({ head_sha: after, name: 'one', conclusion: 'failure' }));
  const other = idOf(await create({ head_sha: after, name: 'two' }));
  const ids = async (query: string) => {
    const { body } = await get(`/commits/${after}/check-runs${query}`);
    return (body as { check_runs: readonly { readonly id: number }[] }).check_runs.map(({ id }) => id);
  };
  expect(await ids('')).toEqual([other, second]);
  expect(await ids('?filter=all&check_name=one')).toEqual([second, first]);
  expect(await ids('?status=completed')).toEqual([second]);
  expect(await ids('?app_id=1')).toEqual([]);
});

describe('is refused', () => {
  const long = (count: number, text = 'x') => text.repeat(count);
  const action = { label: 'l', description: 'd', identifier: 'i' };
  test.each<readonly [string, object]>([
    ['an unknown commit', { head_sha: '1'.repeat(40) }],
    ['a short sha', { head_sha: 'abc' }],
    ['no name', { name: '' }],
    ['an unknown field', { headSha: 'x' }],
    ['an unknown conclusion', { conclusion: 'fine' }],
    ['a status without its conclusion', { status: 'completed' }],
    ['a conclusion without its status', { status: 'queued', conclusion: 'success' }],
    ['a time that is none', { started_at: 'yesterday' }],
    ['output without a summary', { output: { title: 't' } }],
    ['a summary of too many characters', output({ summary: long(65_536) })],
    ['a text of too many bytes', output({ text: long(33_000, 'é') })],
    ['51 annotations', output({ annotations: Array.from({ length: 51 }, () => annotation) })],
    ['columns over two lines', output({ annotations: [{ ...annotation, end_line: 2, start_column: 1 }] })],
    ['lines in the wrong order', output({ annotations: [{ ...annotation, start_line: 2 }] })],
    ['a level that is none', output({ annotations: [{ ...annotation, annotation_level: 'error' }] })],
    ['four actions', { actions: [action, action, action, action] }],
    ['a long label', { actions: [{ ...action, label: long(21) }] }],
    ['a long description', { actions: [{ ...action, description: long(41) }] }],
    ['a long identifier', { actions: [{ ...action, identifier: long(21) }] }],
  ])('%s', async (_name, body) => {
    const before = github.checkRuns(pets).length;
    expect(await create(body)).toMatchObject({ status: 422 });
    expect(github.checkRuns(pets)).toHaveLength(before);
  });

  test('nothing at the very limits', async () => {
    const full = { text: long(65_535), summary: long(32_767, 'é') };
    const annotations = Array.from({ length: 50 }, () => ({ ...annotation, start_column: 1, end_column: 2 }));
    const label = { label: long(20), description: long(40), identifier: long(20) };
    const body = { ...output({ ...full, annotations }), actions: [label, action, action] };
    expect(await create(body)).toMatchObject({ status: 201 });
  });

  test('every write to an archive, and to the run of another App', async () => {
    const id = idOf(await create({}));
    await github.archive(pets);
    expect(await update(id, { conclusion: 'success' })).toMatchObject({ status: 403 });
    await github.archive(pets, false);
    const foreign = { ...github.checkRuns(pets).at(-1), id: 99, appId: '12' };
    pets.checkRuns.push(foreign as (typeof pets.checkRuns)[number]);
    expect(await update(99, { conclusion: 'success' })).toMatchObject({ status: 403 });
  });
});
