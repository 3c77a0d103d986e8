import { sql } from 'drizzle-orm';
import type { Db } from './connect.ts';

/**
 * Bytes of a commit's files; of the repository's largest counted commit where this one has not been read yet, and `null`
 * where none has.
 */
export async function commitBytes(db: Db, repositoryId: number, commit: string): Promise<number | null> {
  const { rows } = await db.orm.execute<{ bytes: string | null }>(sql`
    select coalesce(
      (select s.bytes from source_objects o
        join snapshots s on s.repository_id = o.repository_id and s.digest = o.digest
        where o.repository_id = ${repositoryId} and o.oid = ${commit}),
      (select max(bytes) from snapshots where repository_id = ${repositoryId} and attempt_id is null)) as bytes`);
  const bytes = rows[0]?.bytes ?? null;
  return bytes === null ? null : Number(bytes);
}

/**
 * Bytes of what each task of a run left last, all of it and what was new or changed. Where an agent did not count, it
 * is what the attempt was allowed to write.
 */
export async function listOutputSizes(
  db: Db,
  runId: number,
  repositoryId: number,
): Promise<ReadonlyMap<string, { readonly all: number; readonly changed: number }>> {
  const { rows } = await db.orm.execute<{ task: string; all: string; changed: string }>(sql`
    select distinct on (a.position) a.task,
      coalesce(s.bytes, (a.resources -> 'storageBytes')::bigint, 0) as all,
      coalesce((a.report -> 'outputBytes' -> 'changed')::bigint, s.bytes, (a.resources -> 'storageBytes')::bigint, 0)
        as changed
    from attempts a left join snapshots s on s.repository_id = ${repositoryId} and s.digest = a.output
    where a.run_id = ${runId} and a.output is not null
    order by a.position, a.number desc`);
  return new Map(
    rows.map(({ task, all, changed }) => [task, { all: Number(all), changed: Number(changed) }]),
  );
}
