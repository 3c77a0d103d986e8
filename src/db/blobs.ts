import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { Artifact } from '../core/attempt.ts';
import type { Digest } from '../core/snapshot.ts';
import type { Db } from './connect.ts';
import { artifacts, blobRefs, blobs, snapshots, sourceObjects } from './schema/content.ts';

export type Blob = { readonly digest: Digest; readonly size: number };

/**
 * Notes that these are used now, which keeps them for a day; to be called before the store is asked for them or given
 * them. It waits for whoever is removing one, and then it is gone and written anew.
 */
export async function touchBlobs(db: Db, digests: readonly Digest[]): Promise<void> {
  await touch(db, digests, 'blobs', sql`true`);
}

/** Once an hour is enough: each time would be a write for every read. */
async function touch(
  db: Db,
  digests: readonly Digest[],
  table: 'blobs' | 'blob_refs',
  which: ReturnType<typeof sql>,
): Promise<void> {
  for (let from = 0; from < digests.length; from += 10_000) {
    const some = sql.param(digests.slice(from, from + 10_000));
    // In one order, so that two that touch the same ones never wait for each other.
    await db.orm.execute(sql`
      update ${sql.identifier(table)} as t set used_at = ${db.now()} from (
        select ctid from ${sql.identifier(table)}
        where digest = any (${some}::text[]) and ${which} and used_at < ${db.now()} - interval '1 hour'
        order by digest for update) as stale
      where t.ctid = stale.ctid`);
  }
}

/** Notes that the store holds these, and that the repository may see them. */
export async function insertBlobs(db: Db, repositoryId: number, named: readonly Blob[]): Promise<void> {
  // One statement may meet a row once only, and equal files have one digest.
  const rows = [...new Map(named.map((row) => [row.digest, row])).values()];
  for (let from = 0; from < rows.length; from += 1_000) {
    const part = rows.slice(from, from + 1_000);
    await db.orm
      .insert(blobs)
      .values(part.map((row) => ({ ...row, createdAt: db.now(), usedAt: db.now() })))
      .onConflictDoUpdate({
        target: blobs.digest,
        set: { usedAt: sql`excluded.used_at` },
        setWhere: sql`${blobs.usedAt} < excluded.used_at - interval '1 hour'`,
      });
    await db.orm
      .insert(blobRefs)
      .values(part.map((row) => ({ repositoryId, digest: row.digest, usedAt: db.now() })))
      .onConflictDoUpdate({
        target: [blobRefs.repositoryId, blobRefs.digest],
        set: { usedAt: sql`excluded.used_at` },
        setWhere: sql`${blobRefs.usedAt} < excluded.used_at - interval '1 hour'`,
      });
  }
}

/** Which of these the repository may see. What only others brought is not among them. */
export async function visibleBlobs(
  db: Db,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  // Before they are looked for: what is told to be there is not removed before it is used.
  await touch(db, digests, 'blob_refs', sql`repository_id = ${repositoryId}`);
  const seen = new Set<Digest>();
  for (let from = 0; from < digests.length; from += 1_000) {
    const rows = await db.orm
      .select({ digest: blobRefs.digest })
      .from(blobRefs)
      .where(
        and(
          eq(blobRefs.repositoryId, repositoryId),
          inArray(blobRefs.digest, digests.slice(from, from + 1_000)),
        ),
      );
    for (const row of rows) seen.add(row.digest);
  }
  return seen;
}

export async function insertSnapshot(
  db: Db,
  row: {
    readonly repositoryId: number;
    readonly digest: Digest;
    readonly attemptId: number | null;
    /** Of all its files; `null` where nobody counted. */
    readonly bytes: number | null;
  },
): Promise<void> {
  await db.orm
    .insert(snapshots)
    .values({ ...row, createdAt: db.now() })
    .onConflictDoNothing();
}

/** What is in the store of these objects of Git, by their ids. */
export async function findSourceObjects(
  db: Db,
  repositoryId: number,
  oids: readonly string[],
): Promise<ReadonlyMap<string, Digest>> {
  // The content of an object that is found is used next.
  await db.orm.execute(sql`
    update blob_refs as t set used_at = ${db.now()} from (
      select r.ctid from blob_refs r join source_objects s using (repository_id, digest)
      where s.repository_id = ${repositoryId} and s.oid = any (${sql.param([...oids])}::text[])
        and r.used_at < ${db.now()} - interval '1 hour'
      order by r.digest for update of r) as stale
    where t.ctid = stale.ctid`);
  const found = new Map<string, Digest>();
  for (let from = 0; from < oids.length; from += 10_000) {
    const rows = await db.orm
      .select({ oid: sourceObjects.oid, digest: sourceObjects.digest })
      .from(sourceObjects)
      .where(
        and(
          eq(sourceObjects.repositoryId, repositoryId),
          inArray(sourceObjects.oid, oids.slice(from, from + 10_000)),
        ),
      );
    for (const row of rows) found.set(row.oid, row.digest);
  }
  return found;
}

export async function insertSourceObjects(
  db: Db,
  repositoryId: number,
  rows: readonly { readonly oid: string; readonly digest: Digest }[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    await db.orm
      .insert(sourceObjects)
      .values(rows.slice(from, from + 1_000).map((row) => ({ repositoryId, ...row })))
      .onConflictDoNothing();
  }
}

export async function insertArtifacts(db: Db, attemptId: number, rows: readonly Artifact[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    await db.orm
      .insert(artifacts)
      .values(
        rows
          .slice(from, from + 1_000)
          .map(({ path, digest, size, mode }) => ({ attemptId, path, digest, size, mode })),
      )
      .onConflictDoNothing();
  }
}

export type StoredArtifact = typeof artifacts.$inferSelect;

export async function listArtifacts(
  db: Db,
  attemptIds: readonly number[],
): Promise<readonly StoredArtifact[]> {
  if (attemptIds.length === 0) return [];
  return db.orm
    .select()
    .from(artifacts)
    .where(inArray(artifacts.attemptId, [...attemptIds]))
    .orderBy(asc(artifacts.attemptId), asc(artifacts.path));
}

export async function findArtifact(db: Db, id: number): Promise<StoredArtifact | undefined> {
  const [row] = await db.orm.select().from(artifacts).where(eq(artifacts.id, id));
  return row;
}
