import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { readLogChunks } from '../../src/attempt/log.ts';
import type { Context } from '../../src/context.ts';
import { listAttempts, type Attempt } from '../../src/db/attempts.ts';
import { listArtifacts, type StoredArtifact } from '../../src/db/blobs.ts';
import { listChecks, type CheckRow } from '../../src/db/checks.ts';
import type { Decision } from '../../src/db/deliveries.ts';
import { listRuns, type PlacedRun } from '../../src/db/runs.ts';
import { attempts } from '../../src/db/schema/runs.ts';
import { decisions } from '../../src/db/schema/deliveries.ts';
import { repositories } from '../../src/db/schema/repositories.ts';

type Named = { readonly owner: string; readonly name: string };

/** Rows as a journey asks for them. */
export type Reader = {
  /** Attempts that something is to become of without the clock. */
  active(): Promise<number>;
  /** Of one repository, oldest first. */
  runs(repository: Named): Promise<readonly PlacedRun[]>;
  /** The newest run of a repository. */
  run(repository: Named): Promise<PlacedRun>;
  attempts(run: { readonly id: number }): Promise<readonly Attempt[]>;
  /** The last attempt of each task: `name state`, with the class where it is neither success nor skip. */
  states(run: { readonly id: number }): Promise<readonly string[]>;
  /** The last attempt of a task. */
  attempt(run: { readonly id: number }, task: string): Promise<Attempt>;
  decisions(repository: Named): Promise<readonly Decision[]>;
  /** `null`: of the file. */
  check(sha: string, run: { readonly id: number } | null): Promise<CheckRow>;
  /** Of the last attempt of a task, of one stream or of all. */
  log(run: { readonly id: number }, task: string, stream?: 0 | 1 | 2): Promise<string>;
  /** Of an attempt, whatever became of it. */
  logOf(attempt: number, stream?: 0 | 1 | 2): Promise<string>;
  artifacts(run: { readonly id: number }, task: string): Promise<readonly StoredArtifact[]>;
  content(artifact: StoredArtifact): Promise<string>;
};

export function createReader(ctx: Pick<Context, 'db' | 'storage'>): Reader {
  const { db, storage } = ctx;

  async function runs({ owner, name }: Named): Promise<readonly PlacedRun[]> {
    const [repository] = await db.orm
      .select()
      .from(repositories)
      .where(and(eq(repositories.owner, owner), eq(repositories.name, name)));
    if (!repository) return [];
    const rows = await listRuns(db, { repositoryId: repository.id }, { limit: 1_000 });
    return rows.toReversed();
  }

  async function attempt(run: { readonly id: number }, task: string): Promise<Attempt> {
    const found = (await listAttempts(db, run.id)).findLast((row) => row.task === task);
    if (!found) throw new Error(`run ${run.id} has no task ${task}`);
    return found;
  }

  async function logOf(id: number, stream?: 0 | 1 | 2): Promise<string> {
    const chunks = await readLogChunks(ctx, id, { offset: 0, limit: 100_000 });
    const parts = chunks.flatMap((chunk) => {
      let at = 0;
      return chunk.lines.flatMap(([of, , length]) => {
        const bytes = chunk.bytes.subarray(at, (at += length));
        return stream === undefined || of === stream ? [bytes] : [];
      });
    });
    return Buffer.concat(parts).toString('utf8');
  }

  return {
    active: () =>
      db.orm.$count(
        attempts,
        and(inArray(attempts.state, ['queued', 'running']), isNull(attempts.finishedAt)),
      ),
    runs,
    async run(repository) {
      const last = (await runs(repository)).at(-1);
      if (!last) throw new Error(`${repository.name} has no run`);
      return last;
    },
    attempts: (run) => listAttempts(db, run.id),
    async states(run) {
      const last = new Map((await listAttempts(db, run.id)).map((row) => [row.task, row]));
      return [...last.values()].map(({ task, state, class: name }) =>
        name === null || name === 'succeeded' || name === 'skipped' || name === state
          ? `${task} ${state}`
          : `${task} ${state} ${name}`,
      );
    },
    attempt,
    async decisions({ owner, name }) {
      const rows = await db.orm
        .select({ id: repositories.id })
        .from(repositories)
        .where(and(eq(repositories.owner, owner), eq(repositories.name, name)));
      const ids = rows.map((row) => row.id);
      return db.orm
        .select()
        .from(decisions)
        .where(inArray(decisions.repositoryId, ids))
        .orderBy(asc(decisions.id));
    },
    async check(sha, run) {
      const rows = await listChecks(db, { sha });
      const found = rows.find((row) => row.runId === (run?.id ?? null));
      if (!found) throw new Error(`${sha} has no such check`);
      return found;
    },
    async log(run, task, stream) {
      const { id, reusedFrom } = await attempt(run, task);
      return logOf(reusedFrom ?? id, stream);
    },
    logOf,
    async artifacts(run, task) {
      const { id, reusedFrom } = await attempt(run, task);
      return listArtifacts(db, [reusedFrom ?? id]);
    },
    async content({ digest }) {
      const parts: Uint8Array[] = [];
      for await (const part of await storage.read(digest)) parts.push(part);
      return Buffer.concat(parts).toString('utf8');
    },
  };
}
