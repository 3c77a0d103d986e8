import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, rm, unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One output of a command: its end for us and, until it is closed, the descriptor for the command. */
export type Output = { readonly stream: Socket; readonly writeEnd: number };

/** Opens two outputs that nobody else has: stdout and stderr. */
export type OpenOutputs = () => Promise<readonly [stdout: Output, stderr: Output]>;

type Paths = readonly [stdout: string, stderr: string];

/** Pairs that one process makes: starting it for each attempt took as long as starting the attempt's command. */
const pairsAtOnce = 16;

/**
 * Two real pipes for each command. The ones that Node makes are sockets, and on Linux a script that says
 * `echo … >/dev/stderr` fails on a socket with "No such device or address" (measured). The directory is emptied first:
 * what is in it was left by an earlier process.
 */
export async function createOutputs(directory: string): Promise<OpenOutputs> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  const free: Paths[] = [];
  let making: Promise<void> | null = null;

  async function make(): Promise<void> {
    const pairs = Array.from({ length: pairsAtOnce }, (): Paths => {
      const name = join(directory, randomBytes(8).toString('hex'));
      return [`${name}-stdout`, `${name}-stderr`];
    });
    await run('mkfifo', ['-m', '600', ...pairs.flat()], { env: { PATH: '/usr/bin:/bin' } });
    free.push(...pairs);
  }

  async function take(): Promise<Paths> {
    for (;;) {
      const pair = free.pop();
      if (pair !== undefined) return pair;
      making ??= make().finally(() => (making = null));
      await making;
    }
  }

  return async () => {
    const paths = await take();
    const outputs = [openFifo(paths[0]), openFifo(paths[1])] as const;
    await Promise.all(paths.map((path) => unlink(path)));
    return outputs;
  };
}

/** Neither open waits: the first one must not, and then there is a reader. */
function openFifo(path: string): Output {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  // A Socket waits in the event loop; a file stream would hold one of four threads per output.
  return { stream: new Socket({ fd: readEnd, readable: true, writable: false }), writeEnd };
}

export function closeWriteEnds(outputs: readonly Output[]): void {
  for (const output of outputs) closeSync(output.writeEnd);
}
