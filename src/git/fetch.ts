import { askGit } from './ask-git.ts';
import type { GitSetting } from './environment.ts';
import { GitError } from './git-error.ts';
import { createRepository, keepCommits, tolerated } from './host.ts';
import { checkObjectId, type ObjectId } from './object-id.ts';
import { gitOutput } from './spawn-git.ts';

export type FetchSource = {
  /** http or https, without a user in it. */
  readonly url: string;
  /** Sent as the password of `x-access-token`, as GitHub takes its tokens; reaches git through its environment only. */
  readonly token: string;
};

/** Fetches into one directory one after the other: each rewrites the repository's list of shallow commits. */
const busy = new Map<string, Promise<void>>();

/**
 * Brings one commit without its history into the bare repository in `directory`, which is made where it is missing.
 * What is there already is not asked for again. Throws `GitError`.
 */
export async function fetchCommit(directory: string, commit: ObjectId, source: FetchSource): Promise<void> {
  checkObjectId(commit);
  const before = busy.get(directory) ?? Promise.resolve();
  const mine = before.catch(() => {}).then(() => fetchOnce(directory, commit, source));
  busy.set(directory, mine);
  try {
    await mine;
  } finally {
    if (busy.get(directory) === mine) busy.delete(directory);
  }
}

async function fetchOnce(directory: string, commit: ObjectId, source: FetchSource): Promise<void> {
  await createRepository(directory);
  if (await isKept(directory, commit)) return;
  const args = [
    'fetch',
    '--depth=1',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--quiet',
    '--end-of-options',
    source.url,
    commit,
  ];
  await gitOutput(directory, args, 65_536, { settings: settingsFor(source) });
  // The mark that all of it is here: it is set only after git said so.
  await keepCommits(directory, [commit]);
}

/** Nothing but this address is asked, and nothing that it answers leads elsewhere or is run. */
function settingsFor({ url, token }: FetchSource): readonly GitSetting[] {
  const { protocol, origin } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') throw new GitError('fetch: not an http address', null);
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return [
    [`protocol.${protocol.slice(0, -1)}.allow`, 'always'],
    ['http.followRedirects', 'false'],
    [`http.${origin}/.extraHeader`, `Authorization: Basic ${basic}`],
    ['credential.helper', ''],
    ['core.askPass', ''],
    ['fetch.fsckObjects', 'true'],
    ...tolerated.map((id): GitSetting => [`fetch.fsck.${id}`, 'ignore']),
    ['transfer.bundleURI', 'false'],
    ['submodule.recurse', 'false'],
    // A host that stops sending is given up.
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '60'],
    ['core.fsync', 'objects,derived-metadata,reference'],
  ];
}

async function isKept(directory: string, commit: ObjectId): Promise<boolean> {
  try {
    await askGit(directory, ['rev-parse', '--verify', '--quiet', `refs/ame/keep/${commit}^{commit}`]);
    return true;
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return false;
    throw error;
  }
}
