import type { Artifact, AttemptDoor } from '../core/attempt.ts';
import { ignoreFileName, largestIgnoreFile, parseIgnoreFile } from '../core/ignore-file.ts';
import type { Digest } from '../core/snapshot.ts';
import { artifactsOf } from '../core/snapshot/artifacts.ts';
import { entryAt } from '../core/snapshot/lookup.ts';
import { readWhole, treeReader } from './blobs.ts';

export type ArtifactOrder = {
  readonly door: Pick<AttemptDoor, 'readBlob'>;
  readonly attempt: number;
  readonly input: Digest;
  readonly output: Digest;
  /** Of the task; `null`: every new or changed file. */
  readonly globs: readonly string[] | null;
  /** Trees that `collectWorkspace` made: saves asking for them. */
  readonly trees: ReadonlyMap<Digest, Uint8Array>;
};

/** What a person gets back of a workspace that has been stored, and what the user should know about that. */
export async function collectArtifacts(
  order: ArtifactOrder,
): Promise<{ readonly artifacts: readonly Artifact[]; readonly notices: readonly string[] }> {
  const readTree = treeReader(order.door, order.attempt, order.trees);
  const file = order.globs === null ? await entryAt(readTree, order.output, ignoreFileName) : undefined;
  if (file?.type !== 'file') {
    const rule = { globs: order.globs, ignores: () => false };
    return { artifacts: await artifactsOf(readTree, order.input, order.output, rule), notices: [] };
  }
  if (file.size > largestIgnoreFile) {
    const artifacts = await artifactsOf(readTree, order.input, order.output, {
      globs: null,
      ignores: () => false,
    });
    return { artifacts, notices: [`${ignoreFileName} is larger than 64 KiB and was not read.`] };
  }
  const bytes = await readWhole(order.door, order.attempt, file.digest);
  const { ignores, refused } = parseIgnoreFile(Buffer.from(bytes).toString('utf8'));
  const artifacts = await artifactsOf(readTree, order.input, order.output, { globs: null, ignores });
  const notices = refused.map(
    (line) => `Line ${line} of ${ignoreFileName} has too many stars and was not used.`,
  );
  return { artifacts, notices };
}
