import type { ObjectId } from './object-id.ts';

/** One line of `git ls-tree`; `path` holds the bytes, one char a byte (latin1). */
export type TreeLine = {
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly id: ObjectId;
  /** Bytes of a blob where `-l` asked for it. */
  readonly size: number | null;
  readonly path: string;
};

const shape = /^([0-7]{6}) (blob|tree|commit) ([0-9a-f]+)(?: +(\d+|-))?\t/;

export function parseTreeLine(line: Uint8Array): TreeLine {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1');
  const [head, mode = '', type = '', id = '', size] = shape.exec(text) ?? [];
  if (head === undefined || !(type === 'blob' || type === 'tree' || type === 'commit')) {
    throw new Error(
      `git printed a line of a tree that cannot be read: ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  return {
    mode,
    type,
    id,
    size: size === undefined || size === '-' ? null : Number(size),
    path: text.slice(head.length),
  };
}
