import { randomUUID } from 'node:crypto';
import { inTransaction, type Db } from './connect.ts';
import { insertDeliveries, type Delivery } from './deliveries.ts';
import { saveDefaultBranch, saveHead } from './repositories.ts';

/** One ref that moved; the zero id is "there was none". */
export type MovedRef = {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  /** It is the head of this one, and nothing was pushed to a branch of the repository. */
  readonly pullRequest?: number;
};

/**
 * Stores a delivery for each ref that moved and where it is now, in one transaction. Answers with the ids of the
 * deliveries, in the order of the refs. `head` is the default branch as the repository itself says.
 */
export async function recordMoves(
  db: Db,
  repositoryId: number,
  moved: readonly MovedRef[],
  head: string | null,
  host: Delivery['host'] = 'local',
): Promise<readonly string[]> {
  const ids = moved.map(() => randomUUID());
  await inTransaction(db, async (tx) => {
    if (head?.startsWith('refs/heads/'))
      await saveDefaultBranch(tx, repositoryId, head.slice('refs/heads/'.length));
    for (const { ref, after } of moved) {
      await saveHead(tx, repositoryId, ref, /^0+$/.test(after) ? null : after);
    }
    await insertDeliveries(
      tx,
      moved.map((push, at) => ({
        id: ids[at] ?? randomUUID(),
        host,
        event: push.pullRequest === undefined ? 'push' : 'pull_request',
        body: Buffer.from(JSON.stringify(push)),
        push: { repositoryId, ...push },
      })),
    );
  });
  return ids;
}
