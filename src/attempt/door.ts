import {
  AttemptFaultError,
  AttemptOverError,
  type AttemptDoor,
  type AttemptInput,
  type AttemptReport,
} from '../core/attempt.ts';
import { describeConflicts, inputOf } from '../core/snapshot/input.ts';
import { isFinal } from '../core/run.ts';
import type { Digest } from '../core/snapshot.ts';
import {
  findAttempt,
  findOpenRepository,
  listAttemptsOf,
  saveReport,
  saveSaidStarted,
  type Attempt,
} from '../db/attempts.ts';
import { insertArtifacts, insertBlobs, insertSnapshot, visibleBlobs } from '../db/blobs.ts';
import { inTransaction, type Db } from '../db/connect.ts';
import { insertLogChunk } from '../db/logs.ts';
import { findRun, type PlacedRun } from '../db/runs.ts';
import { readSecrets } from '../db/secrets.ts';
import { BlobMissingError } from '../core/blob.ts';
import { importCommit } from './import-commit.ts';
import { createSignedDoor, type SigningStorage } from './signed.ts';
import { createTreeStore, isKept } from './trees.ts';

export type DoorDeps = {
  readonly db: Db;
  readonly storage: SigningStorage;
  readonly secretKey: Uint8Array;
  readonly temporary: string;
  /** A bare repository on this machine that has the commit. */
  readonly commitDirectory: (repository: PlacedRun['repository'], commit: string) => Promise<string>;
};

/**
 * What stands behind the agent's door: rows, content and git put together, the same for a pod and in-process.
 * An attempt sees its own repository's content and its own project's secrets, and nothing once it has ended.
 */
export function createAttemptDoor(deps: DoorDeps): AttemptDoor {
  const { db, storage } = deps;
  const rootOf = createImports(deps);

  async function open(id: number): Promise<{ readonly attempt: Attempt; readonly run: PlacedRun }> {
    const attempt = await findAttempt(db, id);
    const run = attempt && (await findRun(db, attempt.runId));
    if (!attempt || !run || isFinal(attempt.state)) throw new AttemptOverError(`attempt ${id} is over`);
    return { attempt, run };
  }

  /** The repository whose content an attempt sees, as long as it has not ended. */
  async function repositoryOf(id: number): Promise<number> {
    const repositoryId = await findOpenRepository(db, id);
    if (repositoryId === undefined) throw new AttemptOverError(`attempt ${id} is over`);
    return repositoryId;
  }

  return {
    signed: createSignedDoor({ db, storage, secretKey: deps.secretKey, repositoryOf }),

    async input(id) {
      const { attempt, run } = await open(id);
      // A start that was held up may come after its attempt has run and reported: it must not run once more.
      if (attempt.report !== null) throw new AttemptOverError(`attempt ${id} has reported its end`);
      return inputFor(deps, attempt, run, rootOf);
    },

    async readBlob(id, digest, from = 0) {
      const visible = await visibleBlobs(db, await repositoryOf(id), [digest]);
      if (!visible.has(digest)) throw new BlobMissingError(`there is no content ${digest}`);
      return storage.read(digest, from === 0 ? undefined : { from, to: Number.MAX_SAFE_INTEGER });
    },

    async missingBlobs(id, digests) {
      const visible = await visibleBlobs(db, await repositoryOf(id), digests);
      return new Set(digests.filter((digest) => !visible.has(digest)));
    },

    async writeBlob(id, digest, content) {
      const repositoryId = await repositoryOf(id);
      await isKept(deps, digest);
      const size = await storage.write(digest, content);
      await insertBlobs(db, repositoryId, [{ digest, size }]);
    },

    async started(id, at) {
      if (!(await saveSaidStarted(db, id, at))) throw new AttemptOverError(`attempt ${id} is over`);
    },

    async appendLog(id, chunk) {
      await repositoryOf(id);
      await insertLogChunk(db, id, chunk);
    },

    async finish(id, report) {
      const repositoryId = await repositoryOf(id);
      await inTransaction(db, async (tx) => storeReport(tx, id, repositoryId, report));
    },
  };
}

async function storeReport(tx: Db, id: number, repositoryId: number, report: AttemptReport): Promise<void> {
  // An agent may name only what it brought, or what its repository had: a digest alone gives nothing away.
  const named = [
    ...new Set([
      ...(report.output === null ? [] : [report.output]),
      ...report.artifacts.map(({ digest }) => digest),
    ]),
  ];
  const visible = await visibleBlobs(tx, repositoryId, named);
  const unknown = named.find((digest) => !visible.has(digest));
  if (unknown !== undefined)
    throw new BlobMissingError(`the report of attempt ${id} names content that is not there: ${unknown}`);
  // Artifacts are rows of their own; the report keeps what the state machine reads.
  const saved = await saveReport(tx, id, { ...report, artifacts: [] });
  if (!saved) throw new AttemptOverError(`attempt ${id} is over`);
  await insertArtifacts(tx, id, report.artifacts);
  if (report.output !== null)
    await insertSnapshot(tx, {
      repositoryId,
      digest: report.output,
      attemptId: id,
      bytes: report.outputBytes?.all ?? null,
    });
}

type RootOf = (run: PlacedRun) => Promise<Digest>;

/**
 * The snapshot of a run's commit. All tasks of a fan-out ask for it in the same moment, and so does an agent that got
 * no answer in time: one import does for all of them.
 */
function createImports({ db, storage, temporary, commitDirectory }: DoorDeps): RootOf {
  const running = new Map<string, Promise<Digest>>();
  return ({ repository, commit }) => {
    const key = `${repository.id} ${commit}`;
    const known = running.get(key);
    if (known !== undefined) return known;
    const directory = (): Promise<string> => commitDirectory(repository, commit);
    const source = { db, storage, temporary, repositoryId: repository.id, directory };
    const own = importCommit(source, commit).finally(() => running.delete(key));
    running.set(key, own);
    return own;
  };
}

async function inputFor(
  deps: DoorDeps,
  attempt: Attempt,
  run: PlacedRun,
  rootOf: RootOf,
): Promise<AttemptInput> {
  const { db, storage } = deps;
  const task = run.plan.tasks[attempt.position];
  if (!task) throw new Error(`the plan of run ${run.id} has no task at ${attempt.position}`);
  const secrets = await secretsFor(deps, run, task.secrets);
  const known = { script: task.script, secrets, artifacts: task.artifacts };
  const commit = await rootOf(run);
  // Of those before it alone: a run of 10,000 tasks that all begin at once would read its rows 10,000 times.
  const before = ancestorsOf(run.plan, task.needs);
  const rows = await listAttemptsOf(db, run.id, [...before]);
  const outputs = new Map(rows.map((row) => [row.task, row.output]));
  const past = run.plan.tasks
    .filter(({ name }) => before.has(name))
    .map(({ name, needs }) => ({ name, needs, output: outputs.get(name) ?? null }));
  const input = await inputOf(createTreeStore(db, storage, run.repository.id), commit, past, task.needs);
  // One conflict fails the task that meets it. What runs after that failure cannot be given what both left.
  const conflicted = rows.some(({ class: ended }) => ended === 'conflict');
  if (input.kind === 'conflict' && conflicted) return { ...known, root: commit };
  if (input.kind === 'conflict') {
    throw new AttemptFaultError({ class: 'conflict', message: describeConflicts(input.conflicts) });
  }
  return { ...known, root: input.root };
}

function ancestorsOf(plan: PlacedRun['plan'], needs: readonly string[]): ReadonlySet<string> {
  const found = new Set(needs);
  if (found.size === 0) return found;
  for (const { name, needs: earlier } of plan.tasks.toReversed()) {
    if (found.has(name)) for (const one of earlier) found.add(one);
  }
  return found;
}

async function secretsFor(
  deps: DoorDeps,
  run: PlacedRun,
  wanted: readonly { readonly name: string; readonly secret: string }[],
): Promise<AttemptInput['secrets']> {
  if (wanted.length === 0) return [];
  if (run.trust !== 'trusted') {
    throw new AttemptFaultError({ class: 'secret_missing', message: 'Code of a fork is given no secrets.' });
  }
  const values = await readSecrets(
    deps.db,
    deps.secretKey,
    run.project.id,
    wanted.map(({ secret }) => secret),
  );
  const missing = wanted.filter(({ secret }) => !values.has(secret)).map(({ secret }) => secret);
  if (missing.length > 0) {
    const commands = missing
      .map((name) => `ame secret set ${name} --project ${run.project.name}`)
      .join(', then ');
    const message = `The secret${missing.length > 1 ? 's' : ''} ${missing.join(', ')} of ${run.project.name} ${missing.length > 1 ? 'are' : 'is'} not set. Set with: ${commands}`;
    throw new AttemptFaultError({ class: 'secret_missing', message });
  }
  return wanted.map(({ name, secret }) => ({ name, value: values.get(secret) ?? '' }));
}
