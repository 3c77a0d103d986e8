import { randomUUID } from 'node:crypto';
import { access, appendFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { askGit } from './ask-git.ts';
import type { GitSetting } from './environment.ts';
import { GitError } from './git-error.ts';
import { checkObjectId, type ObjectId } from './object-id.ts';
import { gitOutput, gitStream } from './spawn-git.ts';

/** AME's own Git host: bare repositories in directories named by number; people's names stay in rows. */
export function repositoryDirectory(root: string, repositoryId: number): string {
  if (!Number.isSafeInteger(repositoryId) || repositoryId < 1)
    throw new RangeError(`no repository id: ${repositoryId}`);
  return join(root, `${repositoryId}.git`);
}

/**
 * Also written into each repository, so that they hold for a person who runs git there by hand: nothing is
 * ever dropped because no ref leads to it any more.
 */
const ownConfig = `[gc]
\tauto = 0
\tpruneExpire = never
\treflogExpire = never
[receive]
\tautogc = false
`;

const shared: readonly GitSetting[] = [
  // A push that was answered survives a power cut; by default git leaves refs to the operating system.
  ['core.fsync', 'objects,derived-metadata,reference'],
  // What AME keeps for itself is neither shown nor touched.
  ['transfer.hideRefs', 'refs/ame'],
];

const uploadSettings: readonly GitSetting[] = [
  ...shared,
  // Runs and people fetch a commit by its id, also one that a force push has left behind. Whoever may read
  // a repository may read all of it, so an id gives nothing away.
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['uploadpack.allowFilter', 'true'],
];

/**
 * Objects are checked as they arrive: names like `.git` in a tree, hostile `.gitmodules`, broken links.
 * Left out are the faults of form that old, honest histories carry (dates, zones, padded modes), because
 * the only remedy would be to rewrite them.
 */
export const tolerated = [
  'missingSpaceBeforeDate',
  'badTimezone',
  'zeroPaddedFilemode',
  'missingEmail',
  'badDateOverflow',
];

function receiveSettings(maxBytes: number): readonly GitSetting[] {
  return [
    ...shared,
    ['receive.fsckObjects', 'true'],
    ...tolerated.map((id): GitSetting => [`receive.fsck.${id}`, 'ignore']),
    ['receive.denyNonFastForwards', 'false'],
    ['receive.denyDeletes', 'false'],
    // Also the default branch may go: `adoptHead` finds another one.
    ['receive.denyDeleteCurrent', 'ignore'],
    ['receive.maxInputSize', String(maxBytes)],
    // Only branches and tags can be pushed; git refuses the others with `hiddenRefReason`.
    ['receive.hideRefs', 'refs'],
    ['receive.hideRefs', '!refs/heads'],
    ['receive.hideRefs', '!refs/tags'],
  ];
}

/** What git says of a ref that `receive.hideRefs` covers. */
export const hiddenRefReason = 'deny updating a hidden ref';

/** Makes an empty bare repository, whole or not at all; one that is there stays as it is. */
export async function createRepository(directory: string): Promise<void> {
  if (await exists(join(directory, 'HEAD'))) return;
  const fresh = `${directory}.${randomUUID()}.new`;
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    // Without the template no sample hooks and no exclude file come from this machine.
    await gitOutput(
      null,
      ['init', '--bare', '--quiet', '--template=', '--initial-branch=main', fresh],
      65_536,
    );
    await appendFile(join(fresh, 'config'), ownConfig);
    await rename(fresh, directory);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another push has made it in the meantime.
    if (!(await exists(join(directory, 'HEAD')))) throw error;
  }
}

export type GitService = 'git-upload-pack' | 'git-receive-pack';

/** The protocol that a client's `Git-Protocol` header asks for; `null` is the oldest one. */
export function parseProtocol(header: string | undefined): string | null {
  const version = header?.split(':').find((part) => /^version=[012]$/.test(part));
  return version ?? null;
}

/** The refs and what the server can do, as `GET info/refs` answers. */
export function advertiseRefs(
  directory: string,
  service: GitService,
  protocol: string | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Pushes know only the oldest protocol; asked for 2, git would leave out the header that clients expect.
  const receiving = service === 'git-receive-pack';
  return gitStream(
    directory,
    [service.slice('git-'.length), '--stateless-rpc', '--http-backend-info-refs', '.'],
    {
      settings: receiving ? receiveSettings(0) : uploadSettings,
      protocol: receiving ? null : protocol,
    },
  );
}

/** Answers a fetch or clone. Throws `GitError` after the last chunk where git ended badly. */
export function uploadPack(
  directory: string,
  body: AsyncIterable<Uint8Array>,
  protocol: string | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  return gitStream(directory, ['upload-pack', '--stateless-rpc', '.'], {
    input: body,
    settings: uploadSettings,
    protocol,
  });
}

/** Takes in a push of at most `maxBytes`. Throws `GitError` after the last chunk where git ended badly. */
export function receivePack(
  directory: string,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  return gitStream(directory, ['receive-pack', '--stateless-rpc', '.'], {
    input: body,
    settings: receiveSettings(maxBytes),
  });
}

/**
 * Keeps objects for good although no branch leads to them any more: runs refer to the commits that they
 * ran. Nothing is ever collected by itself here (`gc.auto` is 0), so these refs are what makes packing by
 * hand safe; being late with them, after a crash, loses nothing.
 */
export async function keepCommits(directory: string, ids: readonly ObjectId[]): Promise<void> {
  if (ids.length === 0) return;
  const lines = ids.map((id) => `update refs/ame/keep/${checkObjectId(id)} ${id}\n`).join('');
  await gitOutput(directory, ['update-ref', '--stdin'], 65_536, { input: bytesOf(lines) });
}

/** The branch that a clone checks out, as `refs/heads/main`; it may not exist yet. */
export async function readHead(directory: string): Promise<string> {
  return (await askGit(directory, ['symbolic-ref', 'HEAD'])).trim();
}

/** Makes `branch` (a full name) the one that a clone checks out. */
export async function setHead(directory: string, branch: string): Promise<void> {
  if (!branch.startsWith('refs/heads/')) throw new GitError(`not a branch: ${JSON.stringify(branch)}`, null);
  await askGit(directory, ['symbolic-ref', '-m', 'set by AME', '--', 'HEAD', branch]);
}

/**
 * Lets HEAD follow a push that made these `branches` or deleted others: where it leads nowhere, it is set to
 * `main`, `master` or the first branch by name, and a clone finds something to check out. Without any branch it
 * stays. Answers with HEAD's branch.
 */
export async function adoptHead(directory: string, branches: readonly string[]): Promise<string> {
  const head = await readHead(directory);
  if (branches.includes(head) || (await branchesBelow(directory, head)).includes(head)) return head;
  const existing = await branchesBelow(directory, 'refs/heads/');
  const preferred = ['refs/heads/main', 'refs/heads/master'].find((name) => existing.includes(name));
  const chosen = preferred ?? existing[0] ?? head;
  if (chosen !== head) await setHead(directory, chosen);
  return chosen;
}

async function branchesBelow(directory: string, name: string): Promise<string[]> {
  const listed = await askGit(directory, ['for-each-ref', '--format=%(refname)', '--', name]);
  return listed.split('\n').filter((line) => line !== '');
}

/** Packs what many small pushes left as loose files; keeps every object, reachable or not. */
export async function repackRepository(directory: string): Promise<void> {
  await gitOutput(directory, ['repack', '-a', '-d', '--keep-unreachable', '--quiet'], 65_536);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
