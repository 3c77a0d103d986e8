import { z } from 'zod';
import type { Github, GithubRepository } from './connection.ts';
import {
  entryWithoutText,
  entryWithText,
  fileEntry,
  readFileEntry,
  textEntry,
  type FileAt,
} from './file-at.ts';
import { namedContent, type NamedContent } from './named-content.ts';

/** What is read of a commit by GraphQL, and how an object leads to one. */

/** A commit with the file that a project is. */
export type FileCommit = {
  readonly commit: string;
  readonly file: FileAt | null;
  /** There is a file of the name that people also try and that is not read. */
  readonly misnamed: boolean;
  readonly named: NamedContent;
};

export const wholeCommit = `fragment Whole on Commit {
  file: file(path: "ame.yaml") ${entryWithText}
  misnamed: file(path: "ame.yml") ${entryWithoutText}
  gitmodules: file(path: ".gitmodules") ${entryWithText}
  gitattributes: file(path: ".gitattributes") ${entryWithText}
}`;

export const fileOnly = `fragment FileOnly on Commit { file: file(path: "ame.yaml") ${entryWithoutText} }`;

/** A selection of a GitObject that goes through annotated tags: a tag of a tag of a tag is the deepest one followed. */
export function peeled(fields: string, depth = 3): string {
  const inner = depth === 0 ? '' : ` ... on Tag { target ${peeled(fields, depth - 1)} }`;
  return `{ __typename oid${fields === '' ? '' : ` ...${fields}`}${inner} }`;
}

const entry = textEntry.nullish();
const commitFields = z.object({
  __typename: z.string(),
  oid: z.string(),
  // Without content where only its id was asked for.
  file: entry,
  misnamed: fileEntry.nullish(),
  gitmodules: entry,
  gitattributes: entry,
});

export type GitObject = z.output<typeof commitFields> & { readonly target?: GitObject | null | undefined };

export const gitObject: z.ZodType<GitObject> = commitFields.extend({
  target: z.lazy(() => gitObject).nullish(),
});

/** The commit that an object leads to; `null` where it leads to none, such as a tag of a tree. */
export function peel(object: GitObject | null | undefined): GitObject | null {
  if (!object) return null;
  return object.__typename === 'Commit' ? object : peel(object.target);
}

/** What the `Whole` of a commit says. Costs a request only where the file's text is not its content. */
export async function fileCommit(
  github: Github,
  repository: GithubRepository,
  commit: GitObject,
): Promise<FileCommit> {
  return {
    commit: commit.oid,
    file: await readFileEntry(github, repository, commit.file),
    misnamed: commit.misnamed?.type === 'blob',
    named: namedContent(commit.gitmodules?.object?.text ?? null, commit.gitattributes?.object?.text ?? null),
  };
}
