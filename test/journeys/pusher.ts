import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git, tryGit } from '../git/real-git.ts';

/** A file of a commit: its content, or nothing where it is removed. */
export type Content = string | Uint8Array | null | { readonly script: string } | { readonly link: string };
export type Files = Readonly<Record<string, Content>>;

export type PushOptions = {
  /** Default: `main`. Made where the clone stands when there is none. */
  readonly branch?: string;
  readonly force?: boolean;
  readonly message?: string;
  /** Pushed beside the branch, or alone with `branch: null`. */
  readonly refspecs?: readonly string[];
};

/** What the person who pushed saw. */
export type Pushed = {
  readonly code: number;
  /** What AME said, one entry a line. */
  readonly lines: readonly string[];
  readonly text: string;
  /** The commit at the tip of the clone. */
  readonly commit: string;
};

/** A clone of one repository, in the hands of a person with a real git client. */
export type Clone = {
  readonly directory: string;
  readonly url: string;
  /** Writes the files and commits them on a branch; answers with the commit. */
  commit(files: Files, options?: PushOptions): Promise<string>;
  /** Commits what is given and pushes the branch. */
  push(files?: Files, options?: PushOptions): Promise<Pushed>;
  git(...args: string[]): Promise<string>;
};

export async function createClone(
  directory: string,
  url: string,
  during: (push: ReturnType<typeof tryGit>) => ReturnType<typeof tryGit>,
): Promise<Clone> {
  await mkdir(directory, { recursive: true });
  await git(directory, 'init', '--quiet', '--initial-branch=main');
  await git(directory, 'remote', 'add', 'origin', url);
  const run = (...args: string[]): Promise<string> => git(directory, ...args);

  async function commit(files: Files, options: PushOptions = {}): Promise<string> {
    const branch = options.branch ?? 'main';
    const [current, known] = await Promise.all([
      tryGit(directory, ['symbolic-ref', '--short', 'HEAD']),
      tryGit(directory, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]),
    ]);
    if (current.out.trim() !== branch)
      await run('checkout', '--quiet', ...(known.code === 0 ? [branch] : ['-b', branch]));
    for (const [path, content] of Object.entries(files)) await write(join(directory, path), content);
    await run('add', '--all');
    await run('commit', '--quiet', '--allow-empty', '-m', options.message ?? 'a change');
    return run('rev-parse', 'HEAD');
  }

  return {
    directory,
    url,
    git: run,
    commit,
    async push(files, options = {}) {
      if (files) await commit(files, options);
      const refspecs = options.refspecs ?? [`refs/heads/${options.branch ?? 'main'}`];
      const { code, err } = await during(
        tryGit(directory, ['push', ...(options.force ? ['--force'] : []), 'origin', ...refspecs]),
      );
      const lines = err
        .split('\n')
        .filter((line) => line.startsWith('remote: '))
        .map((line) => line.slice('remote: '.length).trimEnd());
      return { code, lines, text: err, commit: await run('rev-parse', 'HEAD') };
    },
  };
}

async function write(path: string, content: Content): Promise<void> {
  await rm(path, { recursive: true, force: true });
  if (content === null) return;
  await mkdir(dirname(path), { recursive: true });
  if (typeof content === 'string' || content instanceof Uint8Array) return writeFile(path, content);
  if ('link' in content) return symlink(content.link, path);
  await writeFile(path, content.script);
  await chmod(path, 0o755);
}
