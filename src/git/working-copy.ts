import { simpleGit } from 'simple-git';

/**
 * A person's own clone: what the command line asks of it. It runs with the person's own git settings, because it
 * is theirs; a server never calls these.
 */
export type Remote = { readonly name: string; readonly address: string };

export async function listRemotes(root: string): Promise<readonly Remote[]> {
  const remotes = await simpleGit(root).getRemotes(true);
  return remotes.map(({ name, refs }) => ({ name, address: refs.fetch }));
}

export async function addRemote(root: string, { name, address }: Remote): Promise<void> {
  await simpleGit(root).addRemote(name, address);
}

/** The commit that a revision such as `HEAD`, a branch or a short id means; nothing where it means none. */
export async function resolveRevision(root: string, revision: string): Promise<string | undefined> {
  if (revision.startsWith('-')) return undefined;
  const id = await simpleGit(root)
    .revparse(['--verify', '--quiet', `${revision}^{commit}`])
    .catch(() => '');
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(id.trim()) ? id.trim() : undefined;
}
