import { sees } from './ask.ts';
import { accountNode, refAt, repositoryNode, type Fields, type OfPull } from './graphql-nodes.ts';
import { mergeBase, readChanges } from './read-git.ts';
import { nodeId, timeShape } from './shapes.ts';
import type { FakePull, FakeToken } from './world.ts';

export function stateOf(pull: FakePull): string {
  return pull.merged ? 'MERGED' : pull.state.toUpperCase();
}

function seesHead(token: FakeToken, pull: FakePull): boolean {
  if (pull.head.deleted) return false;
  return pull.head === pull.base || pull.head.visibility === 'public' || sees(token, pull.head);
}

export const pullFields: Fields = {
  id: ({ pull }: OfPull) => nodeId('PR', pull.id),
  number: ({ pull }: OfPull) => pull.number,
  databaseId: ({ pull }: OfPull) => pull.id,
  fullDatabaseId: ({ pull }: OfPull) => String(pull.id),
  title: ({ pull }: OfPull) => pull.title,
  state: ({ pull }: OfPull) => stateOf(pull),
  closed: ({ pull }: OfPull) => pull.state === 'closed',
  merged: ({ pull }: OfPull) => pull.merged,
  isDraft: ({ pull }: OfPull) => pull.draft,
  updatedAt: ({ pull }: OfPull) => timeShape(pull.updatedAt),
  author: ({ pull }: OfPull) => accountNode(pull.author),
  repository: ({ pull }: OfPull) => repositoryNode(pull.base),
  baseRepository: ({ pull }: OfPull) => repositoryNode(pull.base),
  baseRefName: ({ pull }: OfPull) => pull.baseRef,
  baseRefOid: ({ pull }: OfPull) => pull.baseSha,
  baseRef: ({ pull }: OfPull) => refAt(pull.base, `refs/heads/${pull.baseRef}`),
  headRefName: ({ pull }: OfPull) => pull.headRef,
  headRefOid: ({ pull }: OfPull) => pull.headSha,
  // A private fork that the installation does not see, and one that was deleted, are null.
  headRef: ({ pull }: OfPull, _args, { token }) =>
    seesHead(token, pull) ? refAt(pull.head, `refs/heads/${pull.headRef}`) : null,
  headRepository: ({ pull }: OfPull, _args, { token }) =>
    seesHead(token, pull) ? repositoryNode(pull.head) : null,
  headRepositoryOwner: ({ pull }: OfPull) => accountNode(pull.head.owner),
  isCrossRepository: ({ pull }: OfPull) => pull.head !== pull.base,
  async changedFiles({ pull }: OfPull) {
    const { directory } = pull.base;
    const common = await mergeBase(directory, pull.baseSha, pull.headSha);
    return common === null ? 0 : (await readChanges(directory, common, pull.headSha)).length;
  },
};
