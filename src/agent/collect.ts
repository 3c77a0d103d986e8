import { AttemptFaultError, type AttemptDoor } from '../core/attempt.ts';
import type { Digest } from '../core/snapshot.ts';
import { pathText } from '../core/snapshot/path-text.ts';
import { forget, type FileStates } from './file-states.ts';
import { describeRefusals } from './refusals.ts';
import { scan } from './scan.ts';
import { sendFile } from './upload.ts';
import type { FoundFile } from './walk.ts';
import { workOff } from './work-off.ts';

/** Stores a file, and answers whether its content still was that of the digest. */
export type Put = (path: Buffer, digest: Digest, size: number) => Promise<boolean>;

export type CollectOrder = {
  readonly door: Pick<AttemptDoor, 'missingBlobs' | 'writeBlob'>;
  readonly attempt: number;
  readonly directory: string;
  /** What `fetchWorkspace` answered with, or an earlier collection; `noStates` hashes everything. */
  readonly known: FileStates;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A short way where the store is on this machine, instead of `writeBlob` for files. */
  readonly put?: Put;
  readonly signal?: AbortSignal;
};

/** What a workspace held, all of it stored. */
export type Collection = {
  readonly root: Digest;
  /** Trees that the known states did not have, for those who compare next. */
  readonly trees: ReadonlyMap<Digest, Uint8Array>;
  /** Of all its files together, and of those whose content was not known. */
  readonly bytes: { readonly all: number; readonly changed: number };
  /** Files whose content was read to know its digest. */
  readonly hashed: number;
  /** Files whose content the store did not have. */
  readonly sent: number;
  readonly states: FileStates;
};

const atOnce = 8;
/** As many digests as one question holds. */
const batch = 1000;
/** Walks of a workspace that keeps changing while it is stored. */
const rounds = 3;

/**
 * Makes a snapshot of a workspace and stores what the store has not. Throws `AttemptFaultError`: content_refused
 * with the names of what cannot be kept, store_failed where files never stop changing. Errors of the door are
 * thrown as they came.
 */
export async function collectWorkspace(order: CollectOrder): Promise<Collection> {
  const trees = new Map<Digest, Uint8Array>();
  let known = order.known;
  let [hashed, sent, fresh] = [0, 0, 0];
  let changed: readonly FoundFile[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const now = BigInt(order.now()) * 1_000_000n;
    const found = await scan({ directory: order.directory, known, now }, order.signal);
    if (found.refusals.length > 0) throw new AttemptFaultError(describeRefusals(found.refusals));
    for (const [digest, bytes] of found.trees) trees.set(digest, bytes);
    hashed += found.hashed;
    fresh += found.files.reduce((sum, file) => sum + file.size, 0);
    const stored = await store(order, found.files, trees, found.root);
    sent += stored.sent;
    if (stored.changed.length === 0) {
      const bytes = { all: found.bytes, changed: fresh };
      return { root: found.root, trees, bytes, hashed, sent, states: found.states };
    }
    changed = stored.changed;
    known = forget(found.states, changed);
  }
  const names = changed.slice(0, 10).map(({ path }) => pathText(path));
  throw new AttemptFaultError({
    class: 'store_failed',
    message: `Files kept changing after the task had ended: ${names.join(', ')}. Let the task wait for everything it starts.`,
  });
}

/**
 * Stores what is missing, files before the trees that name them, the root last. Trees of an earlier round may go
 * along although nothing names them any more.
 */
async function store(
  order: CollectOrder,
  found: readonly FoundFile[],
  trees: ReadonlyMap<Digest, Uint8Array>,
  root: Digest,
): Promise<{ readonly sent: number; readonly changed: readonly FoundFile[] }> {
  const files = new Map(found.map((file) => [file.digest, file]));
  const missing = await missingOf(order, [...files.keys(), ...trees.keys()]);
  const changed: FoundFile[] = [];
  const toSend = [...files.values()].filter(({ digest }) => missing.has(digest));
  await workOff(atOnce, toSend, async (file) => {
    order.signal?.throwIfAborted();
    if (!(await sendOne(order, file))) changed.push(file);
  });
  const sent = toSend.length - changed.length;
  if (changed.length > 0) return { sent, changed };
  const toWrite = [...trees].filter(([digest]) => missing.has(digest));
  const write = async ([digest, bytes]: [Digest, Uint8Array]) => writeBytes(order, digest, bytes);
  await workOff(
    atOnce,
    toWrite.filter(([digest]) => digest !== root),
    write,
  );
  await workOff(
    1,
    toWrite.filter(([digest]) => digest === root),
    write,
  );
  return { sent, changed };
}

async function sendOne(order: CollectOrder, { path, digest, size }: FoundFile): Promise<boolean> {
  const place = Buffer.concat([Buffer.from(`${order.directory}/`), Buffer.from(path, 'latin1')]);
  if (order.put !== undefined) return order.put(place, digest, size);
  return sendFile(place, digest, size, (content, again) =>
    order.door.writeBlob(order.attempt, digest, content, again),
  );
}

async function writeBytes(order: CollectOrder, digest: Digest, bytes: Uint8Array): Promise<void> {
  order.signal?.throwIfAborted();
  const content = (): ReadableStream<Uint8Array> => ReadableStream.from([bytes]);
  await order.door.writeBlob(order.attempt, digest, content(), content);
}

async function missingOf(order: CollectOrder, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
  const missing = new Set<Digest>();
  for (let at = 0; at < digests.length; at += batch) {
    order.signal?.throwIfAborted();
    const answer = await order.door.missingBlobs(order.attempt, digests.slice(at, at + batch));
    for (const digest of answer) missing.add(digest);
  }
  return missing;
}
