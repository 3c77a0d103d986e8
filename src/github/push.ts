import { z } from 'zod';
import {
  fileCommit,
  fileOnly,
  gitObject,
  peel,
  peeled,
  wholeCommit,
  type FileCommit,
} from './commit-objects.ts';
import { graphql } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';
import { fileIdOf } from './file-at.ts';
import { namesOf, repositoryFields, sameRepository } from './same-repository.ts';

/** A commit, and the blob id of its `ame.yaml`; `null`: there is none. */
export type CommitFile = { readonly commit: string; readonly fileId: string | null };

/** One ref that moved, as GitHub knows it at this moment. */
export type GithubPush = {
  /** The commit that `after` leads to with its file; `null` where the ref is gone, or leads to no commit. */
  readonly after: FileCommit | null;
  /** `null` where there was nothing before, it led to no commit, or GitHub has it no more. */
  readonly before: CommitFile | null;
  /** Where the ref leads at this moment; `id` is the tag's own of an annotated tag. `null`: it is gone. */
  readonly now: { readonly id: string; readonly commit: string | null } | null;
  /** The default branch at this moment; `null` in an empty repository. */
  readonly defaultBranch: (CommitFile & { readonly name: string }) | null;
  /** What the repository is called at this moment. */
  readonly owner: string;
  readonly name: string;
};

const query = `query Push($owner: String!, $name: String!, $ref: String!, $before: GitObjectID!, $after: GitObjectID!,
  $hasBefore: Boolean!, $hasAfter: Boolean!) {
  repository(owner: $owner, name: $name) {
    ${repositoryFields}
    defaultBranchRef { name target ${peeled('FileOnly', 0)} }
    ref(qualifiedName: $ref) { prefix name target ${peeled('')} }
    before: object(oid: $before) @include(if: $hasBefore) ${peeled('FileOnly')}
    after: object(oid: $after) @include(if: $hasAfter) ${peeled('Whole')}
  }
}
${wholeCommit}
${fileOnly}`;

const ref = z.object({ prefix: z.string().optional(), name: z.string(), target: gitObject.nullable() });
const answer = z.object({
  repository: z
    .object({
      databaseId: z.int().nullable(),
      nameWithOwner: z.string(),
      defaultBranchRef: ref.nullable(),
      ref: ref.nullable(),
      before: gitObject.nullish(),
      after: gitObject.nullish(),
    })
    .nullable(),
});

/**
 * Reads everything that a decision about a push needs in one request, and a second one where `ame.yaml` is no plain
 * text. `ref` is a full ref; zeros as `before` or `after` mean that there was or is nothing.
 * Throws GithubGoneError also where another repository has this name now, and what connect.ts throws.
 */
export async function readPush(
  github: Github,
  repository: GithubRepository,
  push: { readonly ref: string; readonly before: string; readonly after: string },
): Promise<GithubPush> {
  const { owner, name } = repository;
  const hasBefore = !isZeroId(push.before);
  const hasAfter = !isZeroId(push.after);
  const variables = { owner, name, ...push, hasBefore, hasAfter };
  const data = await graphql(github, repository, { contents: 'read' }, query, variables);
  const found = sameRepository(repository, answer.parse(data).repository);
  const after = peel(found.after);
  const before = peel(found.before);
  const base = peel(found.defaultBranchRef?.target);
  // Where there is no such ref, GitHub looks for a branch that has the whole text as its name.
  const now =
    found.ref !== null && `${found.ref.prefix}${found.ref.name}` === push.ref ? found.ref.target : null;
  return {
    ...namesOf(found.nameWithOwner),
    after: after === null ? null : await fileCommit(github, repository, after),
    before: before === null ? null : { commit: before.oid, fileId: fileIdOf(before.file) },
    now: now === null ? null : { id: now.oid, commit: peel(now)?.oid ?? null },
    defaultBranch:
      found.defaultBranchRef === null || base === null
        ? null
        : { name: found.defaultBranchRef.name, commit: base.oid, fileId: fileIdOf(base.file) },
  };
}

function isZeroId(id: string): boolean {
  return /^0+$/.test(id);
}
