import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One output of a command: its end for us and, until it is closed, the descriptor for the command. */
export type Output = { readonly stream: Socket; readonly writeEnd: number };

/**
 * Two real pipes, stdout and stderr. The ones that Node makes are sockets, and on Linux a script that says
 * `echo … >/dev/stderr` fails on a socket with "No such device or address" (measured).
 */
export async function openOutputs(directory: string): Promise<readonly [stdout: Output, stderr: Output]> {
  const paths = [join(directory, 'stdout'), join(directory, 'stderr')] as const;
  await run('mkfifo', ['-m', '600', ...paths], { env: { PATH: '/usr/bin:/bin' } });
  const outputs = [openFifo(paths[0]), openFifo(paths[1])] as const;
  await Promise.all(paths.map((path) => unlink(path)));
  return outputs;
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
