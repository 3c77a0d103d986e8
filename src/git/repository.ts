import { askGit } from './ask-git.ts';
import { GitError } from './git-error.ts';
import { parseTreeLine } from './tree-line.ts';
import { checkObjectId, emptyTree, isObjectId, isZeroId, type ObjectId } from './object-id.ts';
import { isRefName } from './ref-name.ts';
import { gitOutput, gitStream } from './spawn-git.ts';

/** Reading a bare repository. `dir` is its absolute path; every function throws `GitError` where git fails. */

/** Bytes of a file that are read at most: one more than a valid `ame.yaml` has, to see that it is too long. */
export const contentLimit = 256 * 1024 + 1;
/** Bytes of changed paths that are held at most; a million long ones fit. */
const pathsLimit = 256 * 1024 * 1024;

export type FileAt = {
  readonly id: ObjectId;
  /** At most 256 KiB and one byte. Of a symbolic link: its target. */
  readonly content: Buffer;
  /** `100644`, `100755`, or `120000` for a symbolic link. */
  readonly mode: string;
};

/** A file at a commit; `null` where the path is absent or is no file. Throws where the commit is absent. */
export async function readFileAt(dir: string, commit: ObjectId, path: string): Promise<FileAt | null> {
  const entry = await entryAt(dir, commit, path);
  if (entry?.type !== 'blob') return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of gitStream(dir, ['cat-file', 'blob', '--end-of-options', entry.id])) {
    chunks.push(chunk.subarray(0, contentLimit - size));
    size += chunk.length;
    if (size >= contentLimit) break;
  }
  return { id: entry.id, content: Buffer.concat(chunks), mode: entry.mode };
}

/** The blob id of a file at a commit; `null` where the path is absent or is no file. */
export async function blobIdAt(dir: string, commit: ObjectId, path: string): Promise<ObjectId | null> {
  const entry = await entryAt(dir, commit, path);
  return entry?.type === 'blob' ? entry.id : null;
}

async function entryAt(dir: string, commit: ObjectId, path: string) {
  // ls-tree tidies a path before it looks: `.` becomes the whole tree and `a/../b` another file.
  if (path.includes('\0') || path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return null;
  const args = ['ls-tree', '-z', '--full-tree', '--end-of-options', checkObjectId(commit), '--', path];
  const output = await gitOutput(dir, args, 65_536);
  const end = output.indexOf(0);
  return end < 0 ? null : parseTreeLine(output.subarray(0, end));
}

/**
 * Paths (UTF-8, what is not is replaced) whose content, mode or presence differs between the trees of two
 * commits; a renamed file counts with both its names. With the zero id as `before` the comparison is with
 * `base`, with `null` as `base` everything counts as new. The zero id as `after` is the empty tree.
 */
export async function changedPaths(
  dir: string,
  before: ObjectId,
  after: ObjectId,
  base: ObjectId | null = null,
): Promise<readonly string[]> {
  const from = isZeroId(checkObjectId(before)) ? (base ?? emptyTree(after)) : before;
  const to = isZeroId(checkObjectId(after)) ? emptyTree(before) : after;
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--name-only',
    '--no-ext-diff',
    '--ignore-submodules=none',
  ];
  const output = await gitOutput(
    dir,
    [...args, '--end-of-options', checkObjectId(from), to, '--'],
    pathsLimit,
  );
  const paths = output.toString('utf8').split('\0');
  return paths.slice(0, -1);
}

/** The best common ancestor of two commits; `null` where their histories share nothing. */
export async function mergeBase(dir: string, one: ObjectId, other: ObjectId): Promise<ObjectId | null> {
  const args = ['merge-base', '--end-of-options', checkObjectId(one), checkObjectId(other)];
  const output = await askUnlessExit1(dir, args);
  return output === null ? null : firstLine(output);
}

/** Whether `ancestor` is the commit itself or in its history. */
export async function isAncestor(dir: string, ancestor: ObjectId, commit: ObjectId): Promise<boolean> {
  const args = [
    'merge-base',
    '--is-ancestor',
    '--end-of-options',
    checkObjectId(ancestor),
    checkObjectId(commit),
  ];
  return (await askUnlessExit1(dir, args)) !== null;
}

/** A branch or tag; `id` is what the ref holds (the tag object of an annotated tag), `commit` what that leads to. */
export type Ref = { readonly ref: string; readonly id: ObjectId; readonly commit: ObjectId | null };

/** All branches and tags, sorted by name. */
export async function listRefs(dir: string): Promise<readonly Ref[]> {
  return refsBelow(dir, ['refs/heads/', 'refs/tags/']);
}

/** A beginning of commit ids that several commits share. */
export class AmbiguousCommitError extends Error {
  override name = 'AmbiguousCommitError';
}

/**
 * The ref and the commit that a person means by a full ref, a branch, a tag, a commit id or its first 7 or more
 * digits, looked up in this order; `ref` is `null` for an id. `null` where there is no such thing. Throws
 * `AmbiguousCommitError` where several commits begin with the digits.
 */
export async function resolveRef(
  dir: string,
  name: string,
): Promise<{ readonly ref: string | null; readonly commit: ObjectId } | null> {
  const full = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
  for (const ref of full.filter(isRefName)) {
    const found = (await refsBelow(dir, [ref])).find((candidate) => candidate.ref === ref);
    if (found?.commit) return { ref, commit: found.commit };
  }
  const commit = isObjectId(name) ? await peelToCommit(dir, name) : await findAbbreviated(dir, name);
  return commit === null ? null : { ref: null, commit };
}

/** Objects that begin alike and are looked at; more than these share seven digits only where somebody made them so. */
const mostAlike = 32;

async function findAbbreviated(dir: string, digits: string): Promise<ObjectId | null> {
  if (!/^[0-9a-f]{7,64}$/.test(digits)) return null;
  // Not `rev-parse <digits>`: that would also find a ref of this name, wherever it stands.
  const alike = (await askGit(dir, ['rev-parse', `--disambiguate=${digits}`])).split('\n').filter(isObjectId);
  const commits = new Set<ObjectId>();
  for (const id of alike.slice(0, mostAlike)) {
    const commit = await peelToCommit(dir, id);
    if (commit !== null) commits.add(commit);
  }
  const [commit = null, second] = commits;
  if (second !== undefined || alike.length > mostAlike)
    throw new AmbiguousCommitError(`several commits begin with ${digits}: give more of its digits`);
  return commit;
}

async function refsBelow(dir: string, patterns: readonly string[]): Promise<readonly Ref[]> {
  const format = '%(objectname) %(objecttype) %(*objecttype) %(*objectname) %(refname)';
  const output = await askGit(dir, ['for-each-ref', `--format=${format}`, '--', ...patterns]);
  const refs: Ref[] = [];
  for (const line of output.split('\n')) {
    const [id = '', type = '', innerType = '', inner = '', ...name] = line.split(' ');
    if (!isObjectId(id)) continue;
    // A tag of a tag is the one case that the format does not lead to its end.
    const nested = innerType === 'tag' ? await peelToCommit(dir, id) : null;
    const commit = type === 'commit' ? id : innerType === 'commit' ? inner : nested;
    refs.push({ ref: name.join(' '), id, commit });
  }
  return refs;
}

/** The commit that an object leads to: itself, or what a tag names; `null` where that is no commit, or absent. */
export async function peelToCommit(dir: string, id: ObjectId): Promise<ObjectId | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${checkObjectId(id)}^{commit}`];
  const output = await askUnlessExit1(dir, args);
  return output === null ? null : firstLine(output);
}

/** For showing to people; each text is cut at 200 characters. `at` is when it was committed. */
export type CommitInfo = {
  readonly author: string;
  readonly email: string;
  readonly subject: string;
  readonly at: Date;
};

/** Author, subject and time of a commit. */
export async function commitInfo(dir: string, commit: ObjectId): Promise<CommitInfo> {
  const format = '--format=%ct%x00%an%x00%ae%x00%s%x00';
  const args = ['log', '-1', '--no-show-signature', '--no-mailmap', '--encoding=UTF-8', format];
  const shown: Uint8Array[] = [];
  let size = 0;
  // A subject can be as long as a commit: what is beyond this is not read.
  for await (const chunk of gitStream(dir, [...args, '--end-of-options', checkObjectId(commit), '--'])) {
    shown.push(chunk);
    size += chunk.length;
    if (size > 65_536) break;
  }
  const [seconds = '0', author = '', email = '', subject = ''] = Buffer.concat(shown)
    .toString('utf8')
    .split('\0');
  const at = new Date(Number(seconds) * 1000);
  return {
    author: cut(author),
    email: cut(email),
    subject: cut(subject),
    // A commit may carry a time that no calendar has.
    at: Number.isNaN(at.getTime()) ? new Date(0) : at,
  };
}

function cut(text: string): string {
  const characters = Array.from(text.slice(0, 1000).trim());
  return characters.length > 200 ? `${characters.slice(0, 199).join('')}…` : characters.join('');
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim() ?? '';
}

/** git answers "no" by exit code 1 and silence. */
async function askUnlessExit1(dir: string, args: readonly string[]): Promise<string | null> {
  try {
    return await askGit(dir, args);
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return null;
    throw error;
  }
}
