import { execFile } from 'node:child_process';
import { constants, closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The agent's ends of the four pipes between it and the entry. */
export type Pipes = {
  readonly out: Socket;
  readonly err: Socket;
  readonly rep: Socket;
  /** Says a word to the entry; false where the pipe is full, and then it was not said. */
  say(word: string): boolean;
  close(): void;
};

/** `rep` last: the entry opens all of them as soon as it sees that one. */
const names = ['out', 'err', 'ctl', 'rep'] as const;

/** Makes the pipes where an earlier agent has not, and opens them; nothing of it waits for the entry. */
export async function openPipes(directory: string): Promise<Pipes> {
  for (const name of names) {
    const path = join(directory, name);
    if (!existsSync(path)) await run('mkfifo', ['-m', '600', path], { env: { PATH: '/usr/bin:/bin' } });
  }
  // For reading too, so that what is said before the entry is there waits for it.
  const control = openSync(join(directory, 'ctl'), constants.O_RDWR | constants.O_NONBLOCK);
  const [out, err, rep] = [openEnd(directory, 'out'), openEnd(directory, 'err'), openEnd(directory, 'rep')];
  return {
    out,
    err,
    rep,
    say(word) {
      try {
        writeSync(control, `${word}\n`);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
        throw error;
      }
    },
    close() {
      for (const socket of [out, err, rep]) socket.destroy();
      closeSync(control);
    },
  };
}

/**
 * A Socket waits in the event loop: four opened pipes without a writer hold all of Node's four threads for file work.
 * One that was opened so has no end before its first writer has come and gone.
 */
function openEnd(directory: string, name: string): Socket {
  const end = openSync(join(directory, name), constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd: end, readable: true, writable: false });
}
