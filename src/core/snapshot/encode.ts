import { digestOf, isDigest, type Digest, type Tree, type TreeEntry } from '../snapshot.ts';

/*
 * One blob a directory, one encoding a tree: equal trees have equal digests, whoever wrote them.
 *
 *   "ame tree 1\n", then for each entry, in the order of the names' bytes:
 *   type (1), length of name (2), name, mtime in nanoseconds (8, signed), then
 *     file       mode (2), size (8), digest (32)
 *     symlink    length of target (2), target
 *     directory  mode (2), digest (32)
 *
 * Numbers are big-endian. Nothing is optional and nothing has a second spelling.
 */
const magic = Buffer.from('ame tree 1\n', 'latin1');
const types = { file: 1, symlink: 2, directory: 3 } as const;
const head = 1 + 2 + 8;
const largestMode = 0o777;
const largestTime = 2n ** 63n - 1n;

/** The digest of a directory with nothing in it. */
export const emptyTreeDigest: Digest = digestOf(magic);

/** Bytes that do not decode to a tree. */
export class TreeMalformedError extends Error {
  override name = 'TreeMalformedError';
}

/** The one encoding of a tree. Throws `TreeMalformedError` where its entries are not a directory's. */
export function encodeTree(tree: Tree): Uint8Array {
  const bytes = Buffer.allocUnsafe(tree.reduce((sum, entry) => sum + encodedLength(entry), magic.length));
  let at = magic.copy(bytes);
  let previous = '';
  for (const entry of tree) {
    checkEntry(entry, previous);
    previous = entry.name;
    at = bytes.writeUInt8(types[entry.type], at);
    at = writeText(bytes, entry.name, at);
    at = bytes.writeBigInt64BE(entry.mtime, at);
    if (entry.type === 'symlink') {
      at = writeText(bytes, entry.target, at);
      continue;
    }
    at = bytes.writeUInt16BE(entry.mode, at);
    if (entry.type === 'file') at = bytes.writeBigUInt64BE(BigInt(entry.size), at);
    at += bytes.write(entry.digest, at, 32, 'hex');
  }
  return bytes;
}

/** The tree that these bytes encode. Throws `TreeMalformedError` where they are not exactly an encoding. */
export function decodeTree(encoded: Uint8Array): Tree {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new TreeMalformedError('not a tree');
  const tree: TreeEntry[] = [];
  let previous = '';
  try {
    for (let at = magic.length; at < bytes.length;) {
      const { entry, end } = readEntry(bytes, at);
      checkEntry(entry, previous);
      previous = entry.name;
      tree.push(entry);
      at = end;
    }
  } catch (error) {
    // Buffer's own bounds checks are what finds a tree that was cut short.
    if (error instanceof RangeError) throw new TreeMalformedError('a tree that ends too early');
    throw error;
  }
  return tree;
}

/** The nearest time that a tree can hold: 1677 to 2262, which a hostile clock may well leave. */
export function storableTime(nanoseconds: bigint): bigint {
  if (nanoseconds > largestTime) return largestTime;
  return nanoseconds < -largestTime ? -largestTime : nanoseconds;
}

function readEntry(bytes: Buffer, start: number): { entry: TreeEntry; end: number } {
  const type = bytes.readUInt8(start);
  const name = readText(bytes, start + 1);
  const mtime = bytes.readBigInt64BE(name.end);
  const at = name.end + 8;
  const common = { name: name.text, mtime };
  switch (type) {
    case types.file: {
      const mode = bytes.readUInt16BE(at);
      const size = Number(bytes.readBigUInt64BE(at + 2));
      return {
        entry: { type: 'file', ...common, mode, size, digest: readDigest(bytes, at + 10) },
        end: at + 42,
      };
    }
    case types.symlink: {
      const target = readText(bytes, at);
      return { entry: { type: 'symlink', ...common, target: target.text }, end: target.end };
    }
    case types.directory: {
      const mode = bytes.readUInt16BE(at);
      return {
        entry: { type: 'directory', ...common, mode, digest: readDigest(bytes, at + 2) },
        end: at + 34,
      };
    }
    default:
      throw new TreeMalformedError('an entry of an unknown type');
  }
}

function checkEntry(entry: TreeEntry, previous: string): void {
  const { name } = entry;
  if (!isEntryName(name)) throw new TreeMalformedError('a name that no directory can hold');
  if (name <= previous) throw new TreeMalformedError('names that are not in order, or twice the same');
  if (entry.mtime > largestTime || entry.mtime < -largestTime)
    throw new TreeMalformedError('a time out of range');
  if (entry.type === 'symlink') {
    if (!isBytes(entry.target) || entry.target === '' || entry.target.includes('\0'))
      throw new TreeMalformedError('a link that no directory can hold');
    return;
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > largestMode)
    throw new TreeMalformedError('a mode out of range');
  if (!isDigest(entry.digest)) throw new TreeMalformedError('not a digest');
  if (entry.type === 'file' && (!Number.isSafeInteger(entry.size) || entry.size < 0))
    throw new TreeMalformedError('a size out of range');
}

/** Whether a directory can hold this name (bytes as latin1). */
export function isEntryName(name: string): boolean {
  return isBytes(name) && name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

/** Whether text holds one byte a char, and fits the two bytes of its length. */
function isBytes(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- bytes below 32 are as good as any in a path
  return text.length <= 0xffff && /^[\0-\xff]*$/.test(text);
}

function encodedLength(entry: TreeEntry): number {
  const rest = entry.type === 'file' ? 42 : entry.type === 'directory' ? 34 : 2 + entry.target.length;
  return head + entry.name.length + rest;
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const start = bytes.writeUInt16BE(text.length, at);
  return start + bytes.write(text, start, 'latin1');
}

function readText(bytes: Buffer, at: number): { text: string; end: number } {
  const start = at + 2;
  const end = start + bytes.readUInt16BE(at);
  if (end > bytes.length) throw new TreeMalformedError('a tree that ends too early');
  return { text: bytes.toString('latin1', start, end), end };
}

function readDigest(bytes: Buffer, at: number): Digest {
  if (at + 32 > bytes.length) throw new TreeMalformedError('a tree that ends too early');
  return bytes.toString('hex', at, at + 32);
}
