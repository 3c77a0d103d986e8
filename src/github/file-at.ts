import { createHash } from 'node:crypto';
import { z } from 'zod';
import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';

/** A file at a commit, as git has it. */
export type FileAt = {
  readonly id: string;
  /** At most 256 KiB and one byte, which is enough to see that it is too long. Of a symbolic link: its target. */
  readonly content: Buffer;
  /** `100644`, `100755`, or `120000` for a symbolic link. */
  readonly mode: string;
};

/** One byte more than a valid `ame.yaml` has. */
const contentLimit = 256 * 1024 + 1;

/** The selections of a tree entry: with its content, and without. */
export const entryWithText = '{ type mode oid object { ... on Blob { byteSize text } } }';
export const entryWithoutText = '{ type mode oid }';

export const fileEntry = z.object({ type: z.string(), mode: z.int(), oid: z.string() });
export const textEntry = fileEntry.extend({
  // A submodule's object is not there, and a directory is no Blob.
  object: z.object({ byteSize: z.int().optional(), text: z.string().nullish() }).nullish(),
});
export type TextEntry = z.output<typeof textEntry>;

/** The blob's id; `null` where nothing is there, or a directory or a submodule. */
export function fileIdOf(entry: z.output<typeof fileEntry> | null | undefined): string | null {
  return entry?.type === 'blob' ? entry.oid : null;
}

/**
 * The file behind a tree entry with its bytes. GraphQL answers with text, which says nothing of binary files and is
 * changed where a file is no UTF-8: only text that has the blob's own id is taken for its content, and anything else
 * is asked for again, which costs one request. A file that is too long is not: its beginning, or as many spaces,
 * shows that as well.
 */
export async function readFileEntry(
  github: Github,
  repository: GithubRepository,
  entry: TextEntry | null | undefined,
): Promise<FileAt | null> {
  if (entry?.type !== 'blob') return null;
  // GitHub gives the mode as a number: 33188 is 0o100644.
  const file = { id: entry.oid, mode: entry.mode.toString(8) };
  const { byteSize = 0, text } = entry.object ?? {};
  const said = text === null || text === undefined ? null : Buffer.from(text, 'utf8');
  if (byteSize >= contentLimit) {
    const content = Buffer.alloc(contentLimit, ' ');
    said?.copy(content);
    return { ...file, content };
  }
  if (said !== null && blobId(said, entry.oid) === entry.oid) return { ...file, content: said };
  return { ...file, content: await readBlob(github, repository, entry.oid) };
}

async function readBlob(github: Github, repository: GithubRepository, id: string): Promise<Buffer> {
  const { owner, name: repo } = repository;
  const route = 'GET /repos/{owner}/{repo}/git/blobs/{file_sha}';
  const params = { owner, repo, file_sha: id };
  const { data } = await asRepository(github, repository, { contents: 'read' }, route, params);
  return Buffer.from(data.content, data.encoding === 'base64' ? 'base64' : 'utf8').subarray(0, contentLimit);
}

/** What git calls a blob of this content; `like` tells by its length which hash the repository has. */
function blobId(content: Buffer, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex');
}
