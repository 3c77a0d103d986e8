import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from '../../src/config.ts';
import { asStarted } from '../as-started.ts';

/** A server in a process of its own. */
export type ChildServer = {
  readonly address: string;
  readonly token: string;
  readonly databaseUrl: string;
  /** Of its process. */
  readonly pid: number;
  /** With the token in it. */
  cloneUrl(owner: string, name: string): string;
  /** Ends it at once, and answers when it is gone. */
  kill(): Promise<void>;
  /** Asks it to end in order. */
  stop(): Promise<void>;
  /** It stands still from now on, and its sockets stay open. */
  pause(): void;
  resume(): void;
};

const script = fileURLToPath(new URL('server.ts', import.meta.url));

/** `handles`: how many files and connections it may have open. */
export async function startChildServer(
  directory: string,
  env: Env,
  { handles }: { readonly handles?: number } = {},
): Promise<ChildServer> {
  const node = [process.execPath, ...asStarted, script, directory];
  const [program = '', ...args] =
    handles === undefined ? node : ['sh', '-c', `ulimit -n ${handles}; exec "$0" "$@"`, ...node];
  const child = spawn(program, args, {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      // As `ame start` has it.
      NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/ame', import.meta.url)),
      AME_GRACE: '1',
      AME_LOG_LEVEL: process.env['AME_TEST_LOG'] ?? 'error',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)]);
  if (first === null) throw new Error('the server did not start');
  const { address, token, databaseUrl }: { address: string; token: string; databaseUrl: string } = JSON.parse(
    String(first[0]),
  );
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    address,
    token,
    databaseUrl,
    pid: child.pid ?? 0,
    cloneUrl: (owner, name) => `${address.replace('//', `//ame:${token}@`)}/git/${owner}/${name}.git`,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}
