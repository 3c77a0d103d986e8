import type { AttemptDoor } from '../core/attempt.ts';
import type { Digest, ReadTree } from '../core/snapshot.ts';
import { decodeTree } from '../core/snapshot/encode.ts';

/** The whole of a blob that is known to be small. */
export async function readWhole(
  door: Pick<AttemptDoor, 'readBlob'>,
  attempt: number,
  digest: Digest,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await door.readBlob(attempt, digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads trees through the attempt's door, those at hand without asking. */
export function treeReader(
  door: Pick<AttemptDoor, 'readBlob'>,
  attempt: number,
  atHand: ReadonlyMap<Digest, Uint8Array> = new Map(),
): ReadTree {
  return async (digest) => decodeTree(atHand.get(digest) ?? (await readWhole(door, attempt, digest)));
}
