import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { inputFault } from './fault.ts';
import type { Input, Terminal } from './terminal.ts';

/** What the server takes at most, and a little more so that it says so. */
const mostBytes = 64 * 1024 + 2;

/**
 * A value that nobody shall see: all of stdin, without the one newline at its end, or on a terminal a line that is
 * typed and not shown.
 */
export async function readSecret(
  terminal: Pick<Terminal, 'stdin' | 'stderr'>,
  question: string,
): Promise<string> {
  if (!terminal.stdin.isTTY) return readAll(terminal.stdin);
  terminal.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.stdin, output: silent, terminal: true, historySize: 0 });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(inputFault('Nothing was set.')));
      lines.once('close', () => reject(inputFault('Nothing was set.')));
    });
  } finally {
    lines.close();
    terminal.stderr.write('\n');
  }
}

async function readAll(stdin: Input): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    chunks.push(bytes);
    size += bytes.byteLength;
    if (size > mostBytes) throw inputFault('The value is too long: a secret has at most 64 KiB.');
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
