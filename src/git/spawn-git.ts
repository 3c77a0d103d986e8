import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { finished, type Writable } from 'node:stream';
import { gitEnvironment, type GitSetting } from './environment.ts';
import { GitError, gitError } from './git-error.ts';

/**
 * git with streams at both ends. simple-git gathers a whole output in memory before it answers and reads no
 * endless input, so packs, blobs and listings of any length go through here instead.
 */

export type GitStreamOptions = {
  /** Fed to git's stdin with back-pressure. Where it fails, git sees the end of its input. */
  readonly input?: AsyncIterable<Uint8Array>;
  readonly settings?: readonly GitSetting[];
  /** The client's wish, as `version=2`; checked by the caller. */
  readonly protocol?: string | null;
};

const stderrLimit = 4096;

/**
 * What `git <args>` prints when it runs on the bare repository in `directory` (`null`: on none). Throws
 * `GitError` after the last chunk where git ended badly. Leaving the iteration early ends git.
 */
export async function* gitStream(
  directory: string | null,
  args: readonly string[],
  options: GitStreamOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn('git', args, {
    // Paths of the repository itself are relative to it, and nothing is found by walking up from here.
    cwd: directory ?? '/',
    env: gitEnvironment(directory, options),
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const command = args[0] ?? '';
  const ending = endOf(child, command);
  // Looked at only after stdout has ended; until then a failure must not count as unhandled.
  ending.catch(() => undefined);
  // Out of file handles Node gives back a child without streams, whatever its type says, and its error comes later.
  if (!('stdout' in child)) {
    await ending;
    throw new GitError(`git ${command}: it could not be started`, null);
  }
  let stderr = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    if (stderr.length < stderrLimit) stderr += text.slice(0, stderrLimit - stderr.length);
  });
  let inputFailure: unknown;
  feed(options.input, child.stdin).catch((error: unknown) => {
    inputFailure = error;
    child.stdin.destroy();
  });
  let finishedReading = false;
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    finishedReading = true;
    const exitCode = await ending;
    if (exitCode !== 0) throw withCause(gitError(command, stderr, exitCode), inputFailure);
  } finally {
    if (!finishedReading) child.kill();
    child.stdin.destroy();
  }
}

/** The whole output of a command; throws `GitError` where it is longer than `maxBytes`. */
export async function gitOutput(
  directory: string | null,
  args: readonly string[],
  maxBytes: number,
  options: GitStreamOptions = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of gitStream(directory, args, options)) {
    size += chunk.length;
    if (size > maxBytes)
      throw new GitError(`git ${args[0] ?? ''}: more than ${maxBytes} bytes of output`, null);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function endOf(child: ChildProcessWithoutNullStreams, command: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Node reports a missing working directory with the same code as a missing program.
      const text = error.code === 'ENOENT' ? 'git or the repository was not found' : error.message;
      reject(new GitError(`git ${command}: ${text}`, null, { cause: error }));
    });
    child.once('close', (exitCode) => resolve(exitCode));
  });
}

function withCause(error: GitError, cause: unknown): GitError {
  return cause === undefined ? error : new GitError(error.message, error.exitCode, { cause });
}

/** Writes everything to git; ends quietly where git has closed its stdin, which it may do at any time. */
async function feed(input: AsyncIterable<Uint8Array> | undefined, stdin: Writable): Promise<void> {
  let open = true;
  let resume: () => void = () => undefined;
  finished(stdin, () => {
    open = false;
    resume();
  });
  for await (const chunk of input ?? []) {
    if (!open) return;
    if (!stdin.write(chunk)) {
      await new Promise<void>((resolve) => {
        resume = resolve;
        stdin.once('drain', resolve);
      });
    }
  }
  if (open) stdin.end();
}
