import { and, asc, desc, eq, getTableColumns, inArray, isNull, lt, or, sql, ne } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { ClaimLostError, stillHeld, type Claim } from './due.ts';
import type { PlaceFilter } from './projects.ts';
import { decisions, deliveries, type deliveryOutcomes } from './schema/deliveries.ts';
import { heads } from './schema/repositories.ts';

export type Delivery = typeof deliveries.$inferSelect;
export type Decision = typeof decisions.$inferSelect;
export type NewDecision = Omit<typeof decisions.$inferInsert, 'id' | 'decidedAt'>;

export type NewDelivery = {
  readonly id: string;
  readonly host: Delivery['host'];
  readonly event: string;
  readonly body: Uint8Array;
  /** Set where nothing is to be decided: the event is kept, and that is all. */
  readonly ignored?: boolean;
  readonly push?: {
    readonly repositoryId: number;
    readonly ref: string;
    readonly before: string;
    readonly after: string;
    readonly pullRequest?: number;
  };
};

/**
 * Stores what a host said; one that is there already stays as it is. Wakes the loop once for all. One statement, and so
 * one round trip and one commit; written as it is sent, because what waits for it is the answer to a host.
 */
export async function insertDeliveries(db: Db, rows: readonly NewDelivery[]): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map(({ id, host, event, body, ignored = false, push }) => {
    const [outcome, decidedAt, dueAt] = ignored
      ? [sql`'ignored'`, db.now(), sql`null`]
      : [sql`null`, sql`null`, db.now()];
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const pushed = push
      ? sql`${push.repositoryId}, ${push.ref}, ${push.before}, ${push.after}, ${push.pullRequest ?? null}`
      : sql`null, null, null, null, null`;
    return sql`(${id}, ${host}, ${event}, ${bytes}, ${pushed}, ${db.now()}, ${outcome}, ${decidedAt}, ${dueAt})`;
  });
  await db.orm.execute(sql`
    with stored as (
      insert into deliveries (id, host, event, body, repository_id, ref, before, after, pull_request, received_at, outcome,
        decided_at, due_at)
      values ${sql.join(values, sql`, `)}
      on conflict do nothing)
    select pg_notify('ame', 'deliveries')`);
}

export async function findDelivery(db: Db, id: string): Promise<Delivery | undefined> {
  const [row] = await db.orm.select().from(deliveries).where(eq(deliveries.id, id));
  return row;
}

/** Newest first; `before` is the last one of the page before. */
export async function listDeliveries(
  db: Db,
  options: PlaceFilter & {
    readonly limit: number;
    readonly before?: { readonly receivedAt: Date; readonly id: string };
  },
): Promise<readonly Omit<Delivery, 'body'>[]> {
  const { body: _body, ...columns } = getTableColumns(deliveries);
  const before = options.before;
  return db.orm
    .select(columns)
    .from(deliveries)
    .where(
      and(
        options.installationId === undefined
          ? undefined
          : eq(deliveries.installationId, options.installationId),
        options.repositoryId === undefined ? undefined : eq(deliveries.repositoryId, options.repositoryId),
        before &&
          or(
            lt(deliveries.receivedAt, before.receivedAt),
            and(eq(deliveries.receivedAt, before.receivedAt), lt(deliveries.id, before.id)),
          ),
      ),
    )
    .orderBy(desc(deliveries.receivedAt), desc(deliveries.id))
    .limit(options.limit);
}

/** What a payload says, once it is read: who looks for a commit, or for an installation, finds the delivery. */
export async function saveNarrowed(
  db: Db,
  id: string,
  said: Partial<
    Pick<Delivery, 'action' | 'installationId' | 'pullRequest' | 'repositoryId' | 'ref' | 'before' | 'after'>
  >,
): Promise<void> {
  if (Object.keys(said).length === 0) return;
  await db.orm.update(deliveries).set(said).where(eq(deliveries.id, id));
}

/** What is still to be decided of refs that came to lead to `after`, oldest first. */
export async function listUndecided(
  db: Db,
  after: string,
  { repositoryId }: Pick<PlaceFilter, 'repositoryId'> = {},
): Promise<readonly Omit<Delivery, 'body'>[]> {
  const { body: _body, ...columns } = getTableColumns(deliveries);
  return db.orm
    .select(columns)
    .from(deliveries)
    .where(
      and(
        eq(deliveries.after, after),
        isNull(deliveries.decidedAt),
        repositoryId === undefined ? undefined : eq(deliveries.repositoryId, repositoryId),
      ),
    )
    .orderBy(asc(deliveries.receivedAt), asc(deliveries.id));
}

/** Whether a ref led to this commit when it was last read from its host. */
export async function isLastSeenAt(
  db: Db,
  { repositoryId, ref, sha }: { readonly repositoryId: number; readonly ref: string; readonly sha: string },
): Promise<boolean> {
  const isIt = and(eq(heads.repositoryId, repositoryId), eq(heads.ref, ref), eq(heads.sha, sha));
  return (await db.orm.$count(heads, isIt)) > 0;
}

/** Ends a claimed delivery. Throws where the claim was lost, so that the transaction around it is undone. */
export async function saveDecided(
  db: Db,
  claim: Claim,
  outcome: (typeof deliveryOutcomes)[number],
): Promise<void> {
  const { rowCount } = await db.orm.execute(sql`
    update deliveries set outcome = ${outcome}, decided_at = ${db.now()}, failures = 0, last_error = null,
      due_at = null, claimed_by = null, claimed_until = null where ${stillHeld(db, claim)}`);
  if (rowCount !== 1) throw new ClaimLostError(`delivery ${claim.id} is no longer held by this worker`);
  await db.orm.execute(sql`select pg_notify('ame', 'decided')`);
}

export async function insertDecisions(db: Db, rows: readonly NewDecision[]): Promise<void> {
  if (rows.length === 0) return;
  await db.orm.insert(decisions).values(rows.map((row) => ({ ...row, decidedAt: db.now() })));
}

/** What was decided about a delivery, a run or a commit, in the order of the decisions. */
export async function listDecisions(
  db: Db,
  about:
    | { readonly deliveries: readonly string[] }
    | { readonly run: number }
    | { readonly commit: string; readonly repositoryId?: number },
): Promise<readonly Decision[]> {
  const condition =
    'deliveries' in about
      ? inArray(decisions.deliveryId, [...about.deliveries])
      : 'run' in about
        ? eq(decisions.runId, about.run)
        : and(
            eq(decisions.commit, about.commit),
            // A commit may have had a hundred thousand ticks: those are told by their schedule and by their runs.
            ne(decisions.trigger, 'tick'),
            about.repositoryId === undefined ? undefined : eq(decisions.repositoryId, about.repositoryId),
          );
  if ('deliveries' in about && about.deliveries.length === 0) return [];
  return db.orm.select().from(decisions).where(condition).orderBy(asc(decisions.id));
}
