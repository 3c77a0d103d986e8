import { randomUUID } from 'node:crypto';
import { inTransaction, type Db } from './connect.ts';
import { insertDeliveries, type Delivery } from './deliveries.ts';
import { findRepository, listHeads, saveDefaultBranch, saveHead } from './repositories.ts';

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
 * deliveries, in the order of the refs. `head` is the default branch as the repository itself says; one that became it
 * without a push has a delivery too, because its file is now the one that says what there is and when it runs.
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
    const adopted = head === null ? null : await adoptDefault(tx, repositoryId, head);
    for (const { ref, after } of moved) {
      await saveHead(tx, repositoryId, ref, /^0+$/.test(after) ? null : after);
    }
    const isTold = moved.some(({ ref }) => ref === adopted?.ref);
    await insertDeliveries(
      tx,
      [...moved, ...(adopted === null || isTold ? [] : [adopted])].map((push: MovedRef, at) => ({
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

/** Notes the default branch. Answers with it where it took the place of another one, as a ref that did not move. */
async function adoptDefault(tx: Db, repositoryId: number, head: string): Promise<MovedRef | null> {
  if (!head.startsWith('refs/heads/')) return null;
  const branch = head.slice('refs/heads/'.length);
  const known = (await findRepository(tx, repositoryId))?.defaultBranch ?? null;
  if (known === branch) return null;
  await saveDefaultBranch(tx, repositoryId, branch);
  const sha = known === null ? undefined : (await listHeads(tx, repositoryId)).get(head);
  return sha === undefined ? null : { ref: head, before: sha, after: sha };
}
