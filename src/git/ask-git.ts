import { gitOutput } from './spawn-git.ts';

/** Far more than any question here is answered with. */
const mostBytes = 64 * 1024 * 1024;

/**
 * A short question whose answer is a little text. Not by simple-git, which waits for another 50 ms after a command that
 * printed nothing (measured with 4.0.2: 56 ms instead of 5 for `symbolic-ref HEAD …`), and which an exit code without a
 * word on stderr does not keep from success. Every caller checks what it passes, and puts `--end-of-options` or `--`
 * before it. Throws `GitError`.
 */
export async function askGit(directory: string, args: readonly string[]): Promise<string> {
  return (await gitOutput(directory, args, mostBytes)).toString('utf8');
}
