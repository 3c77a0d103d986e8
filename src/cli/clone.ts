import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseProjectFile } from '../core/project-file.ts';
import { listRemotes, resolveRevision } from '../git/working-copy.ts';

/** Larger ones are refused by the parser anyway. */
const mostFileBytes = 1024 * 1024;

/** The folder that holds the repository around a folder, or nothing where there is none. */
export async function findRepositoryRoot(folder: string): Promise<string | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    // A file in worktrees and submodules.
    if (await exists(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The name of the project whose clone a folder lies in; nothing where there is no `ame.yaml` that says it. */
export async function projectOfFolder(folder: string): Promise<string | undefined> {
  const path = join((await findRepositoryRoot(folder)) ?? folder, 'ame.yaml');
  const size = await stat(path).then(
    (found) => found.size,
    () => Infinity,
  );
  if (size > mostFileBytes) return undefined;
  const { project } = parseProjectFile(await readFile(path));
  return project?.name;
}

/** Owners and names, as `owner/name`, of the repositories of AME's Git host that a clone has as remotes. */
export async function hostedRemotes(folder: string): Promise<readonly string[]> {
  const root = await findRepositoryRoot(folder);
  if (root === undefined) return [];
  return (await listRemotes(root)).flatMap(({ address }) => {
    const [, name] = /\/git\/([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(address) ?? [];
    return name === undefined ? [] : [name];
  });
}

/** The commit that a revision such as `HEAD`, a branch or a short id means in a clone. */
export async function resolveCommit(folder: string, revision: string): Promise<string | undefined> {
  const root = await findRepositoryRoot(folder);
  return root === undefined ? undefined : resolveRevision(root, revision);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
