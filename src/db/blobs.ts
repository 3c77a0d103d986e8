import { and, asc, eq, inArray } from 'drizzle-orm';
import type { Artifact } from '../core/attempt.ts';
import type { Digest } from '../core/snapshot.ts';
import type { Db } from './connect.ts';
import { artifacts, blobRefs, blobs, snapshots, sourceObjects } from './schema/content.ts';

export type Blob = { readonly digest: Digest; readonly size: number };

/** Notes that the store holds these, and that the repository may see them. */
export async function insertBlobs(db: Db, repositoryId: number, rows: readonly Blob[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    const part = rows.slice(from, from + 1_000);
    await db.orm
      .insert(blobs)
      .values(part.map((row) => ({ ...row, createdAt: db.now() })))
      .onConflictDoNothing();
    await db.orm
      .insert(blobRefs)
      .values(part.map((row) => ({ repositoryId, digest: row.digest })))
      .onConflictDoNothing();
  }
}

/** Which of these the repository may see. What only others brought is not among them. */
export async function visibleBlobs(
  db: Db,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
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
  row: { readonly repositoryId: number; readonly digest: Digest; readonly attemptId: number | null },
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
