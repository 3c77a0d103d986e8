import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a command ended; text of both streams. */
export type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** A git client as a person has it, with nothing of this machine's settings. */
const environment = {
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05+00:00',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05+00:00',
};

/** Runs git to its end, whatever that is. */
export function tryGit(
  cwd: string,
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile('git', args, options, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
    // A command that reads nothing may have closed its stdin already.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** The output of a git command that must succeed, trimmed. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const ended = await tryGit(cwd, args);
  if (ended.code !== 0) throw new Error(`git ${args.join(' ')} ended with ${ended.code}: ${ended.err}`);
  return ended.out.trim();
}

/** A directory that is gone when the test is. */
export async function scratch(): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ame-git-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
