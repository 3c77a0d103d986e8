import { fullName } from './ask.ts';
import { countCommits, mergeBase, readChanges } from './read-git.ts';
import type { FakeRepository } from './repository.ts';
import { accountShape, nodeId, repositoryShape, timeShape } from './shapes.ts';
import type { FakePull, World } from './world.ts';

export function pullSimpleShape(world: World, pull: FakePull): object {
  const api = `${world.url}/repos/${fullName(pull.base)}`;
  const url = `${api}/pulls/${pull.number}`;
  const html = `${world.webUrl}/${fullName(pull.base)}/pull/${pull.number}`;
  const issue = `${api}/issues/${pull.number}`;
  const statuses = `${api}/statuses/${pull.headSha}`;
  return {
    url,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: accountShape(world, pull.author),
    body: null,
    labels: [],
    milestone: null,
    active_lock_reason: null,
    created_at: timeShape(pull.createdAt),
    updated_at: timeShape(pull.updatedAt),
    closed_at: pull.closedAt === null ? null : timeShape(pull.closedAt),
    merged_at: pull.merged && pull.closedAt !== null ? timeShape(pull.closedAt) : null,
    merge_commit_sha: pull.mergeCommitSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: sideShape(world, pull.head, pull.headRef, pull.headSha),
    base: sideShape(world, pull.base, pull.baseRef, pull.baseSha),
    _links: {
      self: { href: url },
      html: { href: html },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
    author_association: pull.head === pull.base ? 'MEMBER' : 'CONTRIBUTOR',
    auto_merge: null,
    draft: pull.draft,
  };
}

/** With what only the whole pull request says. */
export async function pullShape(world: World, pull: FakePull): Promise<object> {
  const { directory } = pull.base;
  const common = await mergeBase(directory, pull.baseSha, pull.headSha);
  const files = common === null ? [] : await readChanges(directory, common, pull.headSha);
  return {
    ...pullSimpleShape(world, pull),
    merged: pull.merged,
    mergeable: pull.state === 'open' ? true : null,
    rebaseable: null,
    mergeable_state: pull.draft ? 'draft' : 'clean',
    merged_by: pull.merged ? accountShape(world, pull.author) : null,
    comments: 0,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: await countCommits(directory, pull.baseSha, pull.headSha),
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

/** A fork that was deleted is told as null. */
function sideShape(world: World, repository: FakeRepository, ref: string, sha: string): object {
  return {
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha,
    user: accountShape(world, repository.owner),
    repo: repository.deleted ? null : repositoryShape(world, repository),
  };
}
