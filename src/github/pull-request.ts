import { z } from 'zod';
import {
  fileCommit,
  gitObject,
  peel,
  peeled,
  wholeCommit,
  type FileCommit,
  type GitObject,
} from './commit-objects.ts';
import { graphql } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { GithubAwayError, GithubGoneError } from './errors.ts';
import { readFileEntry, type FileAt } from './file-at.ts';
import { namesOf, repositoryFields, sameRepository } from './same-repository.ts';

/** A pull request as it is at this moment. */
export type GithubPullRequest = {
  readonly number: number;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  /** The commit that was asked about, or where nothing was, or GitHub has it no more, the one that is the head now. */
  readonly head: FileCommit & {
    /** Without `refs/heads/`. */
    readonly ref: string;
    /** `null`: the fork is gone. */
    readonly repositoryId: string | null;
  };
  /** It was pushed to once more since `head`. */
  readonly outdated: boolean;
  readonly fromFork: boolean;
  readonly base: {
    readonly ref: string;
    /** Where the base branch is at this moment; of a deleted one, where it was last. */
    readonly commit: string;
    /** What the policy for forks is read from; `null` also where the branch is gone. */
    readonly file: FileAt | null;
  };
  /** What the repository is called at this moment. */
  readonly owner: string;
  readonly name: string;
};

const permissions = { contents: 'read', pull_requests: 'read' } as const;

const pullFields = `number state isDraft isCrossRepository headRefName headRefOid headRepository { databaseId }
  headRef { target { oid } }
  baseRefName baseRefOid baseRef { target ${peeled('Whole', 0)} }`;

const query = `query PullRequest($owner: String!, $name: String!, $number: Int!, $head: GitObjectID!, $hasHead: Boolean!) {
  repository(owner: $owner, name: $name) {
    ${repositoryFields}
    head: object(oid: $head) @include(if: $hasHead) ${peeled('Whole', 0)}
    pullRequest(number: $number) { ${pullFields} }
  }
}
${wholeCommit}`;

const answer = z.object({
  repository: z
    .object({
      databaseId: z.int().nullable(),
      nameWithOwner: z.string(),
      head: gitObject.nullish(),
      pullRequest: z
        .object({
          number: z.int(),
          state: z.enum(['OPEN', 'CLOSED', 'MERGED']),
          isDraft: z.boolean(),
          isCrossRepository: z.boolean(),
          headRefName: z.string(),
          headRefOid: z.string(),
          headRepository: z.object({ databaseId: z.int().nullable() }).nullable(),
          headRef: z.object({ target: z.object({ oid: z.string() }).nullable() }).nullable(),
          baseRefName: z.string(),
          baseRefOid: z.string(),
          baseRef: z.object({ target: gitObject.nullable() }).nullable(),
        })
        .nullable(),
    })
    .nullable(),
});

const states = { OPEN: 'open', CLOSED: 'closed', MERGED: 'merged' } as const;

/**
 * Reads a pull request with the file at `headSha` (what a payload or a list said) and at its base branch, in one
 * request; in two where no head is named or GitHub does not have it; one more for each file that is no plain text.
 * A commit of a fork is read in the base repository, where GitHub keeps it for the pull request.
 * Throws GithubGoneError where there is no such pull request, and what connect.ts throws.
 */
export async function readPullRequest(
  github: Github,
  repository: GithubRepository,
  number: number,
  headSha: string | null = null,
): Promise<GithubPullRequest> {
  let { found, pull } = await ask(github, repository, number, headSha);
  let head = headSha === null ? null : commitOf(found.head, headSha);
  if (head === null) {
    ({ found, pull } = await ask(github, repository, number, pull.headRefOid));
    head = commitOf(found.head, pull.headRefOid);
  }
  // It was pushed to once more between the two: the next try finds it at rest.
  if (head === null) throw new GithubAwayError(`the head of pull request ${number} moves`);
  const base = peel(pull.baseRef?.target);
  const { headRepository } = pull;
  return {
    ...namesOf(found.nameWithOwner),
    number,
    state: states[pull.state],
    draft: pull.isDraft,
    head: {
      ...(await fileCommit(github, repository, head)),
      ref: pull.headRefName,
      repositoryId: headRepository?.databaseId ? String(headRepository.databaseId) : null,
    },
    // The branch may be ahead of what GitHub has noted at the pull request, and of a deleted one only the note is left.
    outdated: pull.headRefOid !== head.oid && pull.headRef?.target?.oid !== head.oid,
    fromFork: pull.isCrossRepository,
    base: {
      ref: pull.baseRefName,
      // `baseRefOid` is where the branch was when the pull request was last touched.
      commit: base?.oid ?? pull.baseRefOid,
      file: await readFileEntry(github, repository, base?.file),
    },
  };
}

async function ask(github: Github, repository: GithubRepository, number: number, headSha: string | null) {
  const { owner, name } = repository;
  // GraphQL wants a value of the right form also where it is not used.
  const variables = { owner, name, number, head: headSha ?? '0'.repeat(40), hasHead: headSha !== null };
  const data = await graphql(github, repository, permissions, query, variables);
  const found = sameRepository(repository, answer.parse(data).repository);
  const pull = found.pullRequest;
  if (pull === null) throw new GithubGoneError(`${owner}/${name} has no pull request ${number}`);
  return { found, pull };
}

function commitOf(object: GitObject | null | undefined, sha: string): GitObject | null {
  const commit = peel(object);
  return commit?.oid === sha ? commit : null;
}
