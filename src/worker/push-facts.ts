import { busyRule, decidePush } from '../core/trigger.ts';
import { findAbsentContent, type AbsentContent } from '../git/absent-content.ts';
import { lookUp, type Found } from '../git/look-up.ts';
import { checkObjectId, isZeroId } from '../git/object-id.ts';
import { blobIdAt, changedPaths, contentLimit, resolveRef, type FileAt } from '../git/repository.ts';
import { fileName, misnamed, type Head } from './head.ts';

/**
 * Gathers the facts of a push to AME's own host from the repository itself. Comparing blob ids and trees is exact
 * for force pushes, new branches, merges and any number of commits.
 */
export async function gatherPush(
  directory: string,
  push: { readonly ref: string; readonly before: string; readonly after: string },
  defaultBranch: string | null,
): Promise<Head> {
  const kind = push.ref.startsWith('refs/tags/') ? 'tag' : 'branch';
  const name = push.ref.replace(/^refs\/(heads|tags)\//, '');
  const isBranch = kind === 'branch';
  // All at once, and with few processes: each start of a git takes longer than its answer.
  const [[before, fileBefore, after, found, other], base, now, content, changed] = await Promise.all([
    lookUp(
      directory,
      [
        // What a client says was there before may be gone, or never have been.
        `${checkObjectId(push.before)}^{commit}`,
        `${push.before}^{commit}:${fileName}`,
        `${checkObjectId(push.after)}^{commit}`,
        `${push.after}^{commit}:${fileName}`,
        `${push.after}^{commit}:${misnamed}`,
      ],
      contentLimit,
    ),
    defaultBranch === null || defaultBranch === name
      ? null
      : resolveRef(directory, `refs/heads/${defaultBranch}`),
    resolveRef(directory, push.ref),
    // git lets a branch lead to nothing but a commit.
    isBranch && !isZeroId(push.after) ? findContent(directory, push.after) : null,
    isBranch && !isZeroId(push.before) && !isZeroId(push.after)
      ? changedPaths(directory, push.before, push.after).catch(() => null)
      : null,
  ]);
  const commit = after?.id ?? null;
  // A new branch is compared with the default branch, if there is one.
  const from = before?.id ?? (isBranch ? (base?.commit ?? null) : null);
  const [{ absent, mode }, idBefore, paths] = await Promise.all([
    content ?? (commit === null ? { absent: null, mode: null } : findContent(directory, commit)),
    before || from === null ? idOfBlob(fileBefore) : blobIdAt(directory, from, fileName),
    commit === null || !isBranch
      ? null
      : ((before && changed) ?? changedPaths(directory, from ?? zeroLike(commit), commit)),
  ]);
  const file: FileAt | null =
    found?.type === 'blob' && mode !== null ? { id: found.id, content: found.content, mode } : null;
  const isDefaultBranch = kind === 'branch' && name === defaultBranch;
  const facts = {
    kind,
    name,
    created: isZeroId(push.before),
    deleted: isZeroId(push.after),
    unmoved: push.before === push.after,
    fileBefore: idBefore,
    fileAfter: file?.id ?? null,
    changedPaths: paths,
    defaultBranch,
    isDefaultBranch,
  } as const;
  return {
    trigger: 'push',
    ref: push.ref,
    commit,
    file,
    misnamed: other?.type === 'blob',
    outdated: commit !== null && now?.commit !== commit,
    absent: file === null ? null : absent,
    isDefaultBranch,
    // Every ref is noted with the push itself.
    seen: null,
    fromFork: false,
    decide: (project) => Promise.resolve(decidePush(project, facts)),
    whenBusy: (project) => busyRule(project, 'push'),
  };
}

type Content = { readonly absent: AbsentContent; readonly mode: string | null };

/** What stands in a commit, and how the file does. */
async function findContent(directory: string, commit: string): Promise<Content> {
  let mode: string | null = null;
  const absent = await findAbsentContent(directory, commit, (entry) => {
    if (entry.path !== fileName) return;
    if (entry.type === 'symlink') mode = '120000';
    if (entry.type === 'file') mode = entry.executable ? '100755' : '100644';
  });
  return { absent, mode };
}

function idOfBlob(found: Found | null | undefined): string | null {
  return found?.type === 'blob' ? found.id : null;
}

function zeroLike(id: string): string {
  return '0'.repeat(id.length);
}
