import { fullName } from './ask.ts';
import type { ChangedFile, CommitFacts } from './read-git.ts';
import type { FakeRepository } from './repository.ts';
import { nodeId } from './shapes.ts';
import type { World } from './world.ts';

export function commitShape(world: World, repository: FakeRepository, commit: CommitFacts): object {
  const url = `${world.url}/repos/${fullName(repository)}`;
  const html = `${world.webUrl}/${fullName(repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId('C', repository.id, commit.sha),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: {
        verified: false,
        reason: 'unsigned',
        signature: null,
        payload: null,
        verified_at: null,
      },
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${html}/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: null,
    committer: null,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${url}/commits/${sha}`,
      html_url: `${html}/${sha}`,
    })),
  };
}

export function changedFileShape(
  world: World,
  repository: FakeRepository,
  sha: string,
  file: ChangedFile,
): object {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const html = `${world.webUrl}/${fullName(repository)}`;
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${html}/blob/${sha}/${path}`,
    raw_url: `${html}/raw/${sha}/${path}`,
    contents_url: `${world.url}/repos/${fullName(repository)}/contents/${path}?ref=${sha}`,
    ...(file.previous === null ? {} : { previous_filename: file.previous }),
  };
}
