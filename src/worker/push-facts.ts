import type { PushFacts } from '../core/trigger.ts';
import { findAbsentContent, type AbsentContent } from '../git/absent-content.ts';
import { isZeroId } from '../git/object-id.ts';
import {
  blobIdAt,
  changedPaths,
  peelToCommit,
  readFileAt,
  resolveRef,
  type FileAt,
} from '../git/repository.ts';

/** The file that a project is. */
export const fileName = 'ame.yaml';
/** A name that people also try; it is not read. */
export const misnamed = 'ame.yml';

/** One ref that moved, with everything that a decision about it needs. */
export type Push = {
  /** The commit that the ref leads to now; `null` where it is gone or leads to none. */
  readonly commit: string | null;
  readonly file: FileAt | null;
  readonly misnamed: boolean;
  /** The ref has moved on since. */
  readonly outdated: boolean;
  readonly facts: PushFacts;
  /** What the commit names but does not hold; `null` where there is no file to say it on. */
  readonly absent: AbsentContent | null;
};

/**
 * Gathers the facts of a push from the repository itself: what a payload says may be old or cut short.
 * Comparing blob ids and trees is exact for force pushes, new branches, merges and any number of commits.
 */
export async function gatherPush(
  directory: string,
  push: { readonly ref: string; readonly before: string; readonly after: string },
  defaultBranch: string | null,
): Promise<Push> {
  const kind = push.ref.startsWith('refs/tags/') ? 'tag' : 'branch';
  const name = push.ref.replace(/^refs\/(heads|tags)\//, '');
  const commitOf = (id: string): Promise<string | null> | null =>
    isZeroId(id) ? null : peelToCommit(directory, id);
  const [before, commit, base, now] = await Promise.all([
    // What a client says was there before may be gone, or never have been.
    commitOf(push.before),
    // git lets a branch lead to nothing but a commit.
    kind === 'branch' && !isZeroId(push.after) ? push.after : commitOf(push.after),
    defaultBranch === null || defaultBranch === name
      ? null
      : resolveRef(directory, `refs/heads/${defaultBranch}`),
    resolveRef(directory, push.ref),
  ]);
  // A new branch is compared with the default branch, if there is one.
  const from = before ?? (kind === 'branch' ? (base?.commit ?? null) : null);
  const [file, other, fileBefore, paths, absent] = await Promise.all([
    commit === null ? null : readFileAt(directory, commit, fileName),
    commit === null ? null : blobIdAt(directory, commit, misnamed),
    from === null ? null : blobIdAt(directory, from, fileName),
    commit === null || kind === 'tag' ? null : changedPaths(directory, from ?? zeroLike(commit), commit),
    commit === null ? null : findAbsentContent(directory, commit),
  ]);
  return {
    commit,
    file,
    misnamed: other !== null,
    outdated: commit !== null && now?.commit !== commit,
    facts: {
      kind,
      name,
      created: isZeroId(push.before),
      deleted: isZeroId(push.after),
      fileBefore,
      fileAfter: file?.id ?? null,
      changedPaths: paths,
      defaultBranch,
      isDefaultBranch: kind === 'branch' && name === defaultBranch,
    },
    absent: file === null ? null : absent,
  };
}

function zeroLike(id: string): string {
  return '0'.repeat(id.length);
}
