import { fullName } from './ask.ts';
import { about } from './payloads.ts';
import { readChanges, readCommit, readCommits, resolve, type CommitFacts } from './read-git.ts';
import type { FakeRepository, Pushed } from './repository.ts';
import { accountShape, repositoryShape } from './shapes.ts';
import type { FakeAccount, World } from './world.ts';

const none = '0'.repeat(40);
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
/** GitHub lists no more commits than these. */
const mostCommits = 2_048;

/** A push as GitHub tells it: also of tags, and of branches that are made, forced or deleted. */
export async function pushPayload(
  world: World,
  repository: FakeRepository,
  pushed: Pushed,
  sender: FakeAccount,
): Promise<object> {
  const { ref, before, after } = pushed;
  const { directory } = repository;
  const deleted = after === none;
  const head = deleted ? null : await resolve(directory, `${after}^{commit}`);
  const range = before === none ? [head ?? after, '-1'] : ['--reverse', `${before}..${head ?? after}`];
  const branch = ref.startsWith('refs/heads/');
  const commits = head === null || !branch ? [] : await readCommits(directory, range);
  const created = Math.floor(repository.createdAt.getTime() / 1_000);
  const html = `${world.webUrl}/${fullName(repository)}`;
  return {
    ref,
    before,
    after,
    ...about(world, repository, sender),
    // Times of a repository are numbers in this event alone.
    repository: {
      ...repositoryShape(world, repository),
      owner: { ...accountShape(world, repository.owner), name: repository.owner.login, email: null },
      created_at: created,
      pushed_at: Math.floor(world.now().getTime() / 1_000),
      stargazers: 0,
      master_branch: repository.defaultBranch,
    },
    pusher: { name: sender.login, email: `${sender.login}@example.com` },
    created: before === none,
    deleted,
    forced: pushed.forced,
    base_ref: null,
    compare: `${html}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: await Promise.all(
      commits.slice(0, mostCommits).map((commit) => commitOfPush(world, repository, commit)),
    ),
    head_commit:
      head === null ? null : await commitOfPush(world, repository, await readCommit(directory, head)),
  };
}

async function commitOfPush(world: World, repository: FakeRepository, commit: CommitFacts): Promise<object> {
  const files = await readChanges(repository.directory, commit.parents[0] ?? emptyTree, commit.sha);
  const paths = (...statuses: readonly string[]): readonly string[] =>
    files.filter(({ status }) => statuses.includes(status)).map(({ path }) => path);
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${world.webUrl}/${fullName(repository)}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email, date: commit.author.date },
    committer: {
      name: commit.committer.name,
      email: commit.committer.email,
      date: commit.committer.date,
    },
    added: paths('added', 'renamed'),
    removed: [...paths('removed'), ...files.flatMap(({ previous }) => (previous === null ? [] : [previous]))],
    modified: paths('modified', 'changed'),
  };
}

export type MergeGroup = {
  readonly headSha: string;
  readonly headRef: string;
  readonly baseSha: string;
  readonly baseRef: string;
};

export async function mergeGroupPayload(
  world: World,
  repository: FakeRepository,
  group: MergeGroup,
  action: 'checks_requested' | 'destroyed',
  sender: FakeAccount,
): Promise<object> {
  const commit = await readCommit(repository.directory, group.headSha);
  return {
    action,
    ...(action === 'destroyed' ? { reason: 'merged' } : {}),
    merge_group: {
      head_sha: group.headSha,
      head_ref: group.headRef,
      base_sha: group.baseSha,
      base_ref: group.baseRef,
      head_commit: simpleCommit(commit),
    },
    ...about(world, repository, sender),
  };
}

export function simpleCommit(commit: CommitFacts): object {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.committer.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  };
}
