import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf, type Tree, type TreeEntry } from '../../src/core/snapshot.ts';
import { buildTrees, PathClashError } from '../../src/core/snapshot/build.ts';
import {
  decodeTree,
  emptyTreeDigest,
  encodeTree,
  storableTime,
  TreeMalformedError,
} from '../../src/core/snapshot/encode.ts';
import { entryAt } from '../../src/core/snapshot/lookup.ts';
import { pathText } from '../../src/core/snapshot/path-text.ts';
import { createMemoryTrees, file, flats, flatten } from './snapshot-model.ts';

const digest = 'ab'.repeat(32);
const fileEntry: TreeEntry = { type: 'file', name: 'f', mode: 0o644, mtime: 1n, size: 3, digest };

const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((b) => Buffer.from(b).toString('latin1'));
const name = bytes.filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');
const common = { name, mtime: fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }) };
const mode = fc.integer({ min: 0, max: 0o777 });
const trees: fc.Arbitrary<Tree> = fc
  .uniqueArray(
    fc.oneof(
      fc.record({
        type: fc.constant('file' as const),
        ...common,
        mode,
        size: fc.maxSafeNat(),
        digest: fc.constant(digest),
      }),
      fc.record({
        type: fc.constant('symlink' as const),
        ...common,
        target: bytes.filter((t) => !t.includes('\0')),
      }),
      fc.record({ type: fc.constant('directory' as const), ...common, mode, digest: fc.constant(digest) }),
    ),
    { selector: ({ name }) => name, maxLength: 8 },
  )
  .map((entries) =>
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name, 'latin1'), Buffer.from(b.name, 'latin1'))),
  );

describe('a tree', () => {
  test('comes back as it was encoded', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        expect(decodeTree(encodeTree(tree))).toEqual(tree);
      }),
    );
  });

  test('has one encoding: bytes that decode are those that encoding makes', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    fc.assert(
      fc.property(trees, flips, fc.nat(40), (tree, flips, cut) => {
        const mangled = Buffer.from(encodeTree(tree));
        for (const [at, byte] of flips) mangled[at % mangled.length] = byte;
        const bytes = mangled.subarray(0, mangled.length - (cut > 20 ? cut - 20 : 0));
        const decoded = decodedOrNull(bytes);
        expect(decoded === null || Buffer.from(encodeTree(decoded)).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, Tree]>([
    [
      'names out of order',
      [
        { ...fileEntry, name: 'b' },
        { ...fileEntry, name: 'a' },
      ],
    ],
    ['a name twice', [fileEntry, fileEntry]],
    ['an empty name', [{ ...fileEntry, name: '' }]],
    ['the directory itself', [{ ...fileEntry, name: '.' }]],
    ['its parent', [{ ...fileEntry, name: '..' }]],
    ['a slash', [{ ...fileEntry, name: 'a/b' }]],
    ['a NUL', [{ ...fileEntry, name: 'a\0b' }]],
    ['a name that is not bytes', [{ ...fileEntry, name: 'a\u0142' }]],
    ['a mode beyond the permission bits', [{ ...fileEntry, mode: 0o4755 }]],
    ['a negative size', [{ ...fileEntry, size: -1 }]],
    ['a size that no number holds', [{ ...fileEntry, size: 2 ** 53 }]],
    ['a digest that is none', [{ ...fileEntry, digest: 'x' }]],
    ['a link to nowhere', [{ type: 'symlink', name: 'l', mtime: 0n, target: '' }]],
    ['a time that no tree holds', [{ ...fileEntry, mtime: 2n ** 63n }]],
  ])('refuses %s', (_, tree) => {
    expect(() => encodeTree(tree)).toThrow(TreeMalformedError);
  });

  test('has room for every time after rounding', () => {
    for (const time of [0n, 2n ** 80n, -(2n ** 80n)])
      expect(decodeTree(encodeTree([{ ...fileEntry, mtime: storableTime(time) }]))).toHaveLength(1);
  });

  test('is known when it is empty', () => {
    expect(digestOf(encodeTree([]))).toBe(emptyTreeDigest);
  });
});

describe('building trees from paths', () => {
  test('keeps every path, whatever their order', async () => {
    await fc.assert(
      fc.asyncProperty(flats, async (flat) => {
        const memory = createMemoryTrees();
        const root = memory.save(flat);
        expect(await flatten(memory, root)).toEqual(
          new Map([...flat].sort(([a], [b]) => comparePaths(a, b))),
        );
        expect(memory.save(new Map([...flat].toReversed()))).toBe(root);
      }),
    );
  });

  test('lists trees with those below first and the root last', () => {
    const { root, trees } = buildTrees([file('a/b/c', 'x'), file('d/b/c', 'x'), file('z', '')]);
    expect(trees.at(-1)?.digest).toBe(root);
    const place = new Map(trees.map((tree, i) => [tree.digest, i]));
    for (const [i, { bytes }] of trees.entries()) {
      const below = decodeTree(bytes).filter((entry) => entry.type === 'directory');
      expect(below.every(({ digest }) => (place.get(digest) ?? i) < i)).toBe(true);
    }
  });

  test('finds what stands at a path', async () => {
    const memory = createMemoryTrees();
    const root = memory.save(new Map([['a/b/c', file('a/b/c', 'x')]]));
    expect((await entryAt(memory.read, root, 'a/b/c'))?.type).toBe('file');
    expect((await entryAt(memory.read, root, 'a/b'))?.type).toBe('directory');
    expect(await entryAt(memory.read, root, 'a/b/c/d')).toBeUndefined();
    expect(await entryAt(memory.read, root, 'x/y')).toBeUndefined();
  });

  test.each([
    ['a path twice', [file('a', 'x'), file('a', 'x')]],
    ['a path below a file', [file('a', 'x'), file('a/b', 'x')]],
    ['a file where a directory is', [file('a/b', 'x'), file('a', 'x')]],
  ])('refuses %s', (_, entries) => {
    expect(() => buildTrees(entries)).toThrow(PathClashError);
  });

  test.each(['', '/a', 'a/', 'a//b', './a', 'a/../b'])('refuses the path %j', (path) => {
    expect(() => buildTrees([file(path, 'x')])).toThrow(TreeMalformedError);
  });
});

describe('the text of a path', () => {
  test.each([
    ['plain', 'plain'],
    ['zażółć'.normalize(), 'zażółć'],
    ['back\\slash', 'back\\slash'],
    ['\\xff', '\\x5cxff'],
  ])('%j reads %j', (path, text) => {
    expect(pathText(Buffer.from(path).toString('latin1'))).toBe(text);
  });

  test.each([
    ['\xff', '\\xff'],
    ['a\xc3', 'a\\xc3'],
    ['\xc3\xa9\xe2\x82', 'é\\xe2\\x82'],
    ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ])('bytes that are no UTF-8 are escaped', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  test('leads back to the bytes', () => {
    const piece = fc.oneof(
      bytes,
      fc.constantFrom('\\', '\\x', '\\xff', '\\x5c', 'é').map((t) => Buffer.from(t).toString('latin1')),
    );
    const paths = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const property = fc.property(paths, (path) => {
      expect(pathBytes(pathText(path))).toBe(path);
    });
    fc.assert(property, { numRuns: 500 });
  });
});

/** Depth first, by the names' bytes. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Bytes either are a tree or are said not to be one. */
function decodedOrNull(bytes: Uint8Array): Tree | null {
  try {
    return decodeTree(bytes);
  } catch (error) {
    if (error instanceof TreeMalformedError) return null;
    throw error;
  }
}

/** The bytes of a path's text: what `pathText` was made from. */
function pathBytes(text: string): string {
  const pieces = text.split(/\\x([0-9a-f]{2})/);
  return pieces
    .map((piece, i) =>
      i % 2 === 0
        ? Buffer.from(piece, 'utf8').toString('latin1')
        : String.fromCharCode(Number.parseInt(piece, 16)),
    )
    .join('');
}
