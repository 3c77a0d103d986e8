import { afterAll, beforeAll, expect, test } from 'vitest';
import { findGithubRepository } from '../../src/db/repositories.ts';
import { readSecrets, saveSecret } from '../../src/db/secrets.ts';
import { installationRepositoriesPayload, repositoryPayload } from '../fakes/github/payloads.ts';
import { createGithubAme, type GithubAme } from './github.ts';
import { createPipes } from './pipes.ts';

let world: GithubAme;

beforeAll(async () => {
  world = await createGithubAme();
});
afterAll(() => world[Symbol.asyncDispose]());

const file = 'projectname: pets\non: push\ntasks:\n  main: echo\n';

async function row(of: { readonly id: number }) {
  const found = await findGithubRepository(world.ame.ctx.db, String(of.id));
  if (!found) throw new Error('the repository is not known');
  return found;
}

test('installing is noticed at once: the files are read, the projects kept, the heads answered, and nothing runs', async () => {
  const { github, settle, told, ame } = world;
  const made = await github.addInstallation({ account: 'acme' });
  const pets = await github.addRepository(made, { owner: 'acme', name: 'pets' });
  const plain = await github.addRepository(made, { owner: 'acme', name: 'plain' });
  const head = await pets.commit({ 'ame.yaml': file }, { branch: 'main', message: 'm' });
  await plain.commit({ 'README.md': '' }, { branch: 'main', message: 'm' });
  await github.addRepository(made, { owner: 'acme', name: 'empty' });
  await world.hear();
  expect(told(pets, head.after)).toEqual(['ame.yaml: neutral']);
  expect(github.checkRuns(plain)).toEqual([]);
  const projects = await ame.api('GET', '/projects');
  expect(projects.body).toMatchObject({ projects: [{ name: 'pets' }] });
  expect(await ame.read.runs({ owner: 'acme', name: 'pets' })).toEqual([]);
  // Added later, and by an event alone.
  const late = await github.addRepository(null, { owner: 'acme', name: 'late' });
  const lateHead = await late.commit({ 'ame.yaml': file }, { branch: 'main', message: 'm' });
  await github.setSelection(made, [pets, plain, late]);
  await settle();
  expect(told(late, lateHead.after)).toEqual(['ame.yaml: neutral']);
  await github.setSelection(made, [pets, plain]);
  await settle();
  expect(await row(late)).toMatchObject({ access: 'removed' });
});

test('removal ends what runs; installed again, the verdict is told', async () => {
  const { github, settle, told, ame } = world;
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const made = await github.addInstallation({ account: 'umbra' });
  const pets = await github.addRepository(made, { owner: 'umbra', name: 'pets' });
  await world.hear();
  const pushed = await github.push(pets, { 'ame.yaml': file.replace('echo', `read _ < ${hold.path}`) });
  await ame.until(async () =>
    (await ame.read.runs({ owner: 'umbra', name: 'pets' }))[0]?.state === 'running' ? true : undefined,
  );
  await github.suspend(made);
  await settle();
  const [run] = await ame.read.runs({ owner: 'umbra', name: 'pets' });
  expect(run).toMatchObject({ state: 'cancelled', reason: expect.stringContaining('suspended') });
  expect(told(pets, pushed.after).at(-1)).toMatch(/^ame \/ main: (queued|in_progress)$/);
  await github.unsuspend(made);
  await settle();
  await world.hear();
  expect(told(pets, pushed.after)).toEqual(['ame.yaml: success', 'ame / main: cancelled']);
  await github.remove(made);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'removed' });
});

test('a rename goes on; a transfer takes no secrets along; an archived one stays as it is', async () => {
  const { github, settle, told, ame } = world;
  const { db, secretKey } = ame.ctx;
  const made = await github.addInstallation({ account: 'oak' });
  const other = await github.addInstallation({ account: 'pine' });
  const pets = await github.addRepository(made, { owner: 'oak', name: 'pets' });
  await world.hear();
  await github.push(pets, { 'ame.yaml': file });
  await settle();
  await github.rename(pets, 'cats');
  await settle();
  expect(await row(pets)).toMatchObject({ owner: 'oak', name: 'cats' });
  const renamed = await github.push(pets, { a: '1' });
  await settle();
  expect(told(pets, renamed.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  const [run] = await ame.read.runs({ owner: 'oak', name: 'cats' });
  if (!run) throw new Error('no run');
  await saveSecret(db, secretKey, { projectId: run.projectId, name: 'key', value: 'a secret value' });
  expect((await readSecrets(db, secretKey, run.projectId, ['key'])).size).toBe(1);
  await github.transfer(pets, 'pine');
  await settle();
  await world.hear();
  expect(await row(pets)).toMatchObject({ owner: 'pine', installationId: String(other.id), access: 'open' });
  expect((await readSecrets(db, secretKey, run.projectId, ['key'])).size).toBe(0);
  const moved = await github.push(pets, { a: '2' });
  await settle();
  expect(told(pets, moved.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
  await github.archive(pets, true);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'archived' });
  await github.archive(pets, false);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'open' });
  await github.setVisibility(pets, 'public');
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'open' });
  await github.deleteRepository(pets);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'deleted' });
});

test('a default branch that becomes another one is read, and runs nothing', async () => {
  const { github, settle, told } = world;
  const made = await github.addInstallation({ account: 'elm' });
  const pets = await github.addRepository(made, { owner: 'elm', name: 'pets' });
  await pets.commit({ 'README.md': '' }, { branch: 'main', message: 'm' });
  await world.hear();
  const trunk = await pets.commit({ 'ame.yaml': file }, { branch: 'trunk', message: 'm' });
  await github.setDefaultBranch(pets, 'trunk');
  await settle();
  expect(told(pets, trunk.after)).toEqual(['ame.yaml: neutral']);
  expect(await row(pets)).toMatchObject({ defaultBranch: 'trunk' });
});

test('events of before that come late change nothing of what is true now', async () => {
  const { github, settle, ame } = world;
  await using pipes = await createPipes();
  const hold = await pipes.hold();
  const made = await github.addInstallation({ account: 'fir' });
  await github.addInstallation({ account: 'yew' });
  const pets = await github.addRepository(made, { owner: 'fir', name: 'pets' });
  await world.hear();
  const by = { id: 1, login: 'ada', type: 'User' } as const;
  const archived = repositoryPayload(github.world, pets, { action: 'archived' }, by);
  await github.transfer(pets, 'yew');
  await settle();
  await world.hear();
  await github.push(pets, { 'ame.yaml': file.replace('echo', `read _ < ${hold.path}`) });
  await ame.until(async () =>
    (await ame.read.runs({ owner: 'yew', name: 'pets' }))[0]?.state === 'running' ? true : undefined,
  );
  await github.deliver('repository', archived, { installation: made });
  const now = github.world.installations.find(({ account }) => account.login === 'yew');
  if (!now) throw new Error('there is no such installation');
  const removed = installationRepositoriesPayload(github.world, 'removed', now, [pets], by);
  await github.deliver('installation_repositories', removed, { installation: now });
  await ame.step();
  await ame.step();
  hold.release();
  await settle();
  expect(await row(pets)).toMatchObject({ owner: 'yew', access: 'open' });
  expect((await ame.read.runs({ owner: 'yew', name: 'pets' })).map(({ state }) => state)).toEqual([
    'succeeded',
  ]);
});

test('removed and installed again under another id, what was pushed meanwhile is answered', async () => {
  const { github, settle, told } = world;
  const first = await github.addInstallation({ account: 'ash' });
  const pets = await github.addRepository(first, { owner: 'ash', name: 'pets' });
  await world.hear();
  await github.push(pets, { 'ame.yaml': file });
  await settle();
  await github.remove(first);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'removed' });
  const meanwhile = await pets.commit({ a: '1' }, { branch: 'main', message: 'meanwhile' });
  const again = await github.addInstallation({ account: 'ash', repositories: [pets] });
  await settle();
  await world.hear();
  expect(await row(pets)).toMatchObject({ access: 'open', installationId: String(again.id) });
  expect(told(pets, meanwhile.after)).toEqual(['ame.yaml: success', 'ame / main: success']);
});

test('a repository that was deleted and restored is read again', async () => {
  const { github, settle } = world;
  const made = await github.addInstallation({ account: 'bay' });
  const pets = await github.addRepository(made, { owner: 'bay', name: 'pets' });
  await world.hear();
  await github.deleteRepository(pets);
  await settle();
  expect(await row(pets)).toMatchObject({ access: 'deleted' });
  pets.deleted = false;
  await world.hear();
  expect(await row(pets)).toMatchObject({ access: 'open' });
});
