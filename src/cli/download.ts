import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { inputFault, worldFault } from './fault.ts';

export type Download = {
  /** As the API says it: UTF-8, other bytes as `\xNN`. */
  readonly path: string;
  readonly digest: string;
  readonly mode: number;
};

const separator = Buffer.from('/');

/**
 * Writes a file below `folder`, whole and with the right content or not at all. A path never leaves the folder:
 * neither by its own parts nor through a symbolic link that lies there. Throws a fault.
 */
export async function saveBelow(
  folder: string,
  file: Download,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const parts = partsOf(file.path);
  const name = parts.pop() ?? '';
  let directory: Buffer = Buffer.from(await realpath(folder));
  for (const part of parts) {
    directory = join(directory, part);
    await mkdir(directory, { recursive: false }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    // A link would lead elsewhere; a file is in the way.
    if (!(await lstat(directory)).isDirectory()) {
      throw inputFault(
        `${directory.toString()} is in the way of an artifact: it is no folder. Choose an empty folder.`,
      );
    }
  }
  const unfinished = join(directory, `.ame-${randomUUID()}`);
  try {
    await write(unfinished, file, content);
    // Takes the place of a link instead of following it.
    await rename(unfinished, join(directory, name));
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function write(path: Buffer, file: Download, content: AsyncIterable<Uint8Array>): Promise<void> {
  const hash = createHash('sha256');
  // Only what a file's own permissions say: never set-user-id and its kin.
  const handle = await open(path, 'wx', (file.mode & 0o777) | 0o600);
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      for (let at = 0; at < chunk.byteLength;) at += (await handle.write(chunk, at)).bytesWritten;
    }
  } finally {
    await handle.close();
  }
  if (hash.digest('hex') !== file.digest) {
    throw worldFault(`${file.path} did not arrive as it was stored. Nothing was written; try again.`);
  }
}

/** The names that a path is made of, as bytes in latin1. */
function partsOf(path: string): string[] {
  const parts = pathBytes(path).split('/');
  const bad = (part: string): boolean =>
    part === '' ||
    part === '.' ||
    part === '..' ||
    part.includes('\0') ||
    (process.platform === 'win32' && /[\\:]/.test(part));
  if (parts.some(bad))
    throw worldFault(`An artifact is called ${JSON.stringify(path)}, which is no path below a folder.`);
  return parts;
}

function join(directory: Buffer, name: string): Buffer {
  return Buffer.concat([directory, separator, Buffer.from(name, 'latin1')]);
}

/** The bytes, one char a byte, of a path as the API says it. */
function pathBytes(text: string): string {
  return text
    .split(/\\x([0-9a-f]{2})/)
    .map((piece, at) =>
      at % 2 === 0
        ? Buffer.from(piece, 'utf8').toString('latin1')
        : String.fromCharCode(Number.parseInt(piece, 16)),
    )
    .join('');
}
