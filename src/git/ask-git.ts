import { simpleGit } from 'simple-git';
import { gitEnvironment } from './environment.ts';
import { GitError, gitError } from './git-error.ts';

/**
 * A short question whose answer is a little text, by simple-git. Its guard refuses settings that can start
 * programs; the ones allowed here are our own constants and switch exactly those programs off.
 * The guard is no boundary for arguments (it lets `--output=FILE` through where a revision is meant), so
 * every caller checks what it passes and puts `--end-of-options` or `--` before it.
 */
export async function askGit(directory: string, args: readonly string[]): Promise<string> {
  const env = gitEnvironment(directory);
  const command = args[0] ?? '';
  let failure: GitError | null = null;
  const git = simpleGit({
    baseDir: directory,
    allowEnvironment: Object.keys(env),
    unsafe: {
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeProtocolOverride: true,
    },
    // By default an exit code without a word on stderr counts as success; `merge-base` says no that way.
    // What is returned here arrives as text inside an error of simple-git's own, so it is also kept.
    errors(_error, { exitCode, stdErr }) {
      if (exitCode === 0) return undefined;
      failure = gitError(command, Buffer.concat(stdErr).toString('utf8'), exitCode);
      return failure;
    },
  }).env(env);
  try {
    return await git.raw([...args]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw failure ?? new GitError(`git ${command}: ${text}`, null, { cause: error });
  }
}
