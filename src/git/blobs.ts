import { createByteReader, type ByteReader } from './byte-reader.ts';
import { GitError } from './git-error.ts';
import { checkObjectId, type ObjectId } from './object-id.ts';
import { gitStream } from './spawn-git.ts';

/** One blob as it passes by. What is not read of `content` is skipped when the next blob is asked for. */
export type Blob = {
  readonly id: ObjectId;
  readonly size: number;
  readonly content: ReadableStream<Uint8Array>;
};

const pieceSize = 65_536;

/**
 * The content of blobs in the order of `ids`, through one git child in constant memory: git waits while
 * nobody reads. Each `content` is to be read, or left, before the next blob is asked for. Throws `GitError`
 * where an id is absent or is no blob.
 */
export async function* readBlobs(
  dir: string,
  ids: AsyncIterable<ObjectId> | Iterable<ObjectId>,
): AsyncGenerator<Blob, void, undefined> {
  const lines = linesOf(ids);
  // Where nothing is asked for there is no need of a git.
  const first = await lines.next();
  if (first.done) return;
  const output = gitStream(dir, ['cat-file', '--batch'], { input: after(first.value, lines) });
  const reader = createByteReader(output);
  try {
    for (let header = await reader.line(200); header !== null; header = await reader.line(200)) {
      const { id, size } = parseHeader(header.toString('latin1'));
      const body = createBody(reader, size);
      yield { id, size, content: body.content };
      await body.skip();
      // Each object is followed by a newline of its own.
      await reader.exactly(1);
    }
  } finally {
    await output.return();
  }
}

async function* linesOf(ids: AsyncIterable<ObjectId> | Iterable<ObjectId>): AsyncGenerator<Uint8Array> {
  for await (const id of ids) yield Buffer.from(`${checkObjectId(id)}\n`);
}

async function* after(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function parseHeader(line: string): { readonly id: ObjectId; readonly size: number } {
  const [id = '', type = '', size = ''] = line.split(' ');
  if (type === 'missing') throw new GitError(`git cat-file: the object ${id} is missing`, null);
  if (type !== 'blob') throw new GitError(`git cat-file: the object ${id} is a ${type}, not a blob`, null);
  return { id, size: Number(size) };
}

/** `size` bytes of the reader as a stream that reads only when it is asked, and a way to pass over the rest. */
function createBody(
  reader: ByteReader,
  size: number,
): { content: ReadableStream<Uint8Array>; skip(): Promise<void> } {
  let left = size;
  let skipping = false;
  let last: Promise<unknown> = Promise.resolve();
  const piece = async (): Promise<Buffer | null> => {
    if (left === 0) return null;
    const bytes = await reader.upTo(Math.min(left, pieceSize));
    if (bytes === null) throw new GitError('git cat-file: the output ended within a blob', null);
    left -= bytes.length;
    return bytes;
  };
  const content = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (skipping) throw new GitError('the blob was passed over before it was read', null);
        const pulled = piece();
        last = pulled.catch(() => undefined);
        const bytes = await pulled;
        if (bytes !== null) controller.enqueue(bytes);
        if (left === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    content,
    async skip() {
      skipping = true;
      // A read may be under way; two at once would tear the stream apart.
      await last;
      while ((await piece()) !== null);
    },
  };
}
