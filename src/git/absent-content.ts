import { readBlobs } from './blobs.ts';
import { commitTree, type CommitEntry } from './commit-tree.ts';
import type { ObjectId } from './object-id.ts';

/** Files that a commit names but does not hold; a run finds a stand-in or an empty directory there. */
export type AbsentContent = {
  readonly lfs: { readonly count: number; readonly paths: readonly string[] };
  readonly submodules: { readonly count: number; readonly paths: readonly string[] };
};

/** Paths that are named; the others are counted. */
const named = 10;

// What Git LFS calls a pointer is shorter than 1024 bytes; three lines with a SHA-256 need at least 120.
const pointerSizes = { least: 120, most: 1023 };
const versionLine = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\n/;

/** Whether a file's whole content is that of a Git LFS pointer: the stand-in for a file kept elsewhere. */
export function isLfsPointer(content: Uint8Array): boolean {
  if (content.length < pointerSizes.least || content.length > pointerSizes.most) return false;
  const text = Buffer.from(content).toString('latin1');
  return versionLine.test(text) && /\noid sha256:[0-9a-f]{64}\n/.test(text) && /\nsize \d+\n?/.test(text);
}

/**
 * Looks through a commit for Git LFS pointers and submodules. Reads the small files only. `onEntry` sees everything
 * that stands in the commit on the way.
 */
export async function findAbsentContent(
  dir: string,
  commit: ObjectId,
  onEntry: (entry: CommitEntry) => void = () => {},
): Promise<AbsentContent> {
  const submodules: string[] = [];
  const pointers: string[] = [];
  // Entries run ahead of the blobs that are read by no more than the pipe to git holds.
  const candidates: CommitEntry[] = [];
  async function* small(): AsyncGenerator<ObjectId> {
    for await (const entry of commitTree(dir, commit)) {
      onEntry(entry);
      if (entry.type === 'submodule') submodules.push(readable(entry.path));
      if (entry.type !== 'file' || entry.size < pointerSizes.least || entry.size > pointerSizes.most)
        continue;
      candidates.push(entry);
      yield entry.id;
    }
  }
  for await (const blob of readBlobs(dir, small())) {
    const entry = candidates.shift();
    const content = await new Response(blob.content).bytes();
    if (entry && isLfsPointer(content)) pointers.push(readable(entry.path));
  }
  return {
    lfs: { count: pointers.length, paths: pointers.slice(0, named) },
    submodules: { count: submodules.length, paths: submodules.slice(0, named) },
  };
}

function readable(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
