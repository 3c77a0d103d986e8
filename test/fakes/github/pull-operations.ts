import { notFound, ok, type Answer } from './answer.ts';
import { fullName, page, repositoryOf, type Ask, type Operate } from './ask.ts';
import { changedFileShape } from './git-shapes.ts';
import { pullShape, pullSimpleShape } from './pull-shapes.ts';
import { followPulls } from './pulls.ts';
import { mergeBase, readChanges } from './read-git.ts';
import type { FakeRepository } from './repository.ts';
import type { FakePull } from './world.ts';
import { tryGitBytes } from './git.ts';

async function fresh(ask: Ask): Promise<FakeRepository> {
  const repository = repositoryOf(ask);
  await followPulls(repository);
  return repository;
}

async function pullAsked(ask: Ask): Promise<FakePull> {
  const { pulls } = await fresh(ask);
  return pulls.find(({ number }) => number === Number(ask.params['pull_number'])) ?? notFound();
}

async function list(ask: Ask): Promise<Answer> {
  const { query, world } = ask;
  const repository = await fresh(ask);
  const state = query.get('state') ?? 'open';
  const head = query.get('head');
  const base = query.get('base');
  const found = repository.pulls.filter(
    (pull) =>
      (state === 'all' || pull.state === state) &&
      (base === null || pull.baseRef === base) &&
      (head === null || `${pull.head.owner.login}:${pull.headRef}` === head),
  );
  const ordered = query.get('direction') === 'asc' ? found : found.toReversed();
  const { items, headers } = page(ask, `/repos/${fullName(repository)}/pulls`, ordered);
  return ok(
    items.map((pull) => pullSimpleShape(world, pull)),
    headers,
  );
}

/** Those with the commit in them; open ones first, as for a commit that is not on the default branch. */
async function listOfCommit(ask: Ask): Promise<Answer> {
  const repository = await fresh(ask);
  const sha = ask.params['commit_sha'] ?? '';
  const found = await pullsWith(repository, sha);
  const { items, headers } = page(ask, `/repos/${fullName(repository)}/commits/${sha}/pulls`, found);
  return ok(
    items.map((pull) => pullSimpleShape(ask.world, pull)),
    headers,
  );
}

export async function pullsWith(repository: FakeRepository, sha: string): Promise<readonly FakePull[]> {
  const { directory } = repository;
  const found: FakePull[] = [];
  for (const pull of repository.pulls) {
    const within = await tryGitBytes(directory, ['merge-base', '--is-ancestor', sha, pull.headSha]);
    const before = await tryGitBytes(directory, ['merge-base', '--is-ancestor', sha, pull.baseSha]);
    if (within !== null && (before === null || pull.merged)) found.push(pull);
  }
  return found;
}

async function listFiles(ask: Ask): Promise<Answer> {
  const pull = await pullAsked(ask);
  const { directory } = pull.base;
  const common = (await mergeBase(directory, pull.baseSha, pull.headSha)) ?? notFound();
  const files = (await readChanges(directory, common, pull.headSha)).slice(0, 3_000);
  const path = `/repos/${fullName(pull.base)}/pulls/${pull.number}/files`;
  const { items, headers } = page(ask, path, files);
  return ok(
    items.map((file) => changedFileShape(ask.world, pull.base, pull.headSha, file)),
    headers,
  );
}

export const pullOperations: Readonly<Record<string, Operate>> = {
  'pulls/list': list,
  'pulls/get': async (ask) => ok(await pullShape(ask.world, await pullAsked(ask))),
  'pulls/list-files': listFiles,
  'repos/list-pull-requests-associated-with-commit': listOfCommit,
};
