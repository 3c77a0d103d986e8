import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For tasks to write to: `first` is the first word, `heard` all of it once the last that held it is gone. */
export type Listening = {
  readonly path: string;
  readonly first: Promise<string>;
  readonly heard: Promise<string>;
};
/** For tasks to read a line from, as with `read _ < path`: each gets one when the test lets go. */
export type Holding = { readonly path: string; release(): void };

/** Named pipes between a test and the tasks of its runs, by which each knows where the other is. */
export type Pipes = AsyncDisposable & { listen(): Promise<Listening>; hold(): Promise<Holding> };

export async function createPipes(): Promise<Pipes> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-pipes-'));
  const closing: (() => void)[] = [];
  let made = 0;
  async function make(): Promise<string> {
    const path = join(directory, String((made += 1)));
    await run('mkfifo', [path]);
    return path;
  }

  return {
    async listen() {
      const path = await make();
      // A file stream would wait for its other end in one of the four threads that everything shares.
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stream = new Socket({ fd, readable: true, writable: false });
      const first = Promise.withResolvers<string>();
      const heard = Promise.withResolvers<string>();
      let all = '';
      stream.on('data', (part) => {
        all += String(part);
        first.resolve(all);
      });
      stream.on('close', () => heard.resolve(all));
      closing.push(() => stream.destroy());
      return { path, first: first.promise, heard: heard.promise };
    },
    async hold() {
      const path = await make();
      // Both ends at once, so that neither waits for the other, and a line is there also for who comes late.
      const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
      closing.push(() => closeSync(fd));
      const release = (): void => void writeSync(fd, '\n'.repeat(16));
      return { path, release };
    },
    async [Symbol.asyncDispose]() {
      for (const close of closing) close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
