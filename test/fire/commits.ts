import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git } from '../git/real-git.ts';
import { createClone, type Files } from '../journeys/pusher.ts';

/** Repositories that are made once and copied: seven times git for each life costs more than what AME does with it. */
export type Commits = AsyncDisposable & {
  /** Makes the directory a repository with one commit of these files, and no remote. */
  readonly copy: (directory: string, files: Files) => Promise<void>;
};

export function openCommits(): Commits {
  const made = new Map<string, Promise<string>>();

  async function make(files: Files): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'ame-fire-commit-'));
    const clone = await createClone(directory, 'http://127.0.0.1:1/', (push) => push);
    await clone.commit(files);
    await git(directory, 'remote', 'remove', 'origin');
    await rm(join(directory, '.git', 'hooks'), { recursive: true, force: true });
    return directory;
  }

  return {
    async copy(directory, files) {
      const key = JSON.stringify(files);
      const from = made.get(key) ?? make(files);
      made.set(key, from);
      await cp(await from, directory, { recursive: true });
    },
    async [Symbol.asyncDispose]() {
      for (const directory of await Promise.all(made.values()))
        await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
