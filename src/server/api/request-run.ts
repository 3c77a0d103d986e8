import { randomUUID } from 'node:crypto';
import { planDigest, planTask } from '../../core/plan.ts';
import { PlanError } from '../../core/plan/plan-error.ts';
import { scheduleGroup } from '../../core/schedule/group.ts';
import { busyRule, concurrencyGroup, decideRequest } from '../../core/trigger.ts';
import type { Context as Ame } from '../../context.ts';
import { saveCheck } from '../../db/checks.ts';
import { inTransaction } from '../../db/connect.ts';
import { insertDecisions } from '../../db/deliveries.ts';
import { listProjects, type ListedProject } from '../../db/projects.ts';
import { findRepository, type Repository } from '../../db/repositories.ts';
import { insertRun, type NewRun } from '../../db/insert-run.ts';
import { findRunByCause } from '../../db/runs.ts';
import { supersede } from '../../db/run-groups.ts';
import { AmbiguousCommitError, readFileAt, resolveRef, type FileAt } from '../../git/repository.ts';
import { zeroId } from '../../git/object-id.ts';
import { GithubAwayError, GithubGoneError } from '../../github/errors.ts';
import { readPush } from '../../github/push.ts';
import { readProjectFile } from '../../project-at.ts';
import { runCheckOf } from '../../run-check.ts';
import { refuse } from './refuse.ts';

export type RunRequest = {
  readonly project: string;
  readonly task?: string | undefined;
  readonly ref?: string | undefined;
  /** Asked for by the name of a schedule: the run is one of its runs. */
  readonly schedule?: { readonly name: string; readonly line: number };
};

/** Finds a project by its name, where only one has it, or by its id. */
export async function findProject(ame: Ame, name: string): Promise<ListedProject> {
  const all = await listProjects(ame.db);
  const named = all.filter((project) => project.name === name);
  const found = named.length > 0 ? named : all.filter((project) => String(project.id) === name);
  const [only] = found;
  if (only && found.length === 1) return only;
  if (!only) {
    const known = all
      .slice(0, 10)
      .map((project) => project.name)
      .join(', ');
    throw refuse(
      404,
      'project-unknown',
      `there is no project ${JSON.stringify(name)}${known === '' ? '; push a repository first' : `; there is ${known}`}`,
    );
  }
  const where = named
    .map((project) => `${project.id} in ${project.repository.owner}/${project.repository.name}`)
    .join(', ');
  throw refuse(
    409,
    'project-ambiguous',
    `several repositories have a project ${JSON.stringify(name)}; name one by its id: ${where}`,
  );
}

/** Makes a run that somebody asked for. The same key finds the run that it made before. */
export async function requestRun(
  ame: Ame,
  request: RunRequest,
  key: string | null,
): Promise<{ readonly run: number; readonly created: boolean }> {
  const { db } = ame;
  const project = await findProject(ame, request.project);
  // Before anything is looked up anew: what the key once made stays the answer, even if the ref is gone since.
  const known = key === null ? undefined : await findRunByCause(db, project.id, `request:${key}`);
  if (known) return { run: known.id, created: false };
  const repository = await findRepository(db, project.repositoryId);
  if (!repository) throw new Error(`project ${project.id} has no repository`);
  const asked = request.ref ?? repository.defaultBranch ?? 'main';
  const found =
    repository.host === 'github'
      ? await findOnGithub(ame, repository, asked)
      : await findHere(ame.directoryOf(repository), asked);
  if (!found)
    throw refuse(
      404,
      'ref-unknown',
      `the host has no branch, tag or commit ${JSON.stringify(asked)}; push it first`,
    );
  const { file } = found;
  if (!file) throw refuse(422, 'file-absent', `there is no ame.yaml at ${found.commit.slice(0, 12)}`);
  const read = readProjectFile(file);
  const decision = decideRequest(read.project, request.task ?? null);
  const [task] = decision.tasks;
  if (!read.project || task === undefined) {
    const problems = read.problems.filter(({ severity }) => severity === 'error');
    const list = problems
      .slice(0, 3)
      .map((one) => `line ${one.line}: ${one.message}`)
      .join(' ');
    throw refuse(422, decision.rule, `${decision.message}${list === '' ? '' : ` ${list}`}`);
  }
  const ref = found.ref ?? found.commit;
  const row: NewRun = {
    projectId: project.id,
    task,
    commit: found.commit,
    ref,
    trigger: 'request',
    causeKey: `request:${key ?? randomUUID()}`,
    trust: 'trusted',
    ...planOf(read.project, task),
    concurrencyGroup: request.schedule
      ? scheduleGroup(project.id, request.schedule.name)
      : concurrencyGroup(read.project, task, ref),
    whenBusy: request.schedule ? 'allow' : busyRule(read.project, 'request'),
  };
  const made = await inTransaction(db, async (tx) => {
    const { run, created } = await insertRun(tx, row);
    if (!created) return { run: run.id, created };
    if (row.whenBusy !== 'allow') {
      await supersede(
        tx,
        run,
        row.whenBusy === 'cancel' ? 'all' : 'waiting',
        `Superseded by #${run.number}.`,
      );
    }
    const { rule, message } = decision;
    const line = request.schedule?.line ?? decision.line;
    const schedule = request.schedule?.name ?? null;
    const about = { projectId: project.id, repositoryId: repository.id, commit: found.commit };
    await insertDecisions(tx, [
      { ...about, trigger: 'request', schedule, task, outcome: 'run', rule, line, message, runId: run.id },
    ]);
    const says = await runCheckOf(tx, { ...run, project }, `${ame.address()}/runs/${run.id}`);
    await saveCheck(tx, { repositoryId: repository.id, sha: run.commit, runId: run.id, says });
    return { run: run.id, created };
  });
  if (made.created) ame.log.info({ run: made.run, task, trigger: 'request' }, 'run decided');
  return made;
}

type Asked = { readonly ref: string | null; readonly commit: string; readonly file: FileAt | null };

async function findHere(directory: string, asked: string): Promise<Asked | null> {
  const found = await resolveRef(directory, asked).catch((error: unknown) => {
    if (error instanceof AmbiguousCommitError) throw refuse(422, 'commit-ambiguous', error.message);
    throw error;
  });
  return found && { ...found, file: await readFileAt(directory, found.commit, 'ame.yaml') };
}

/** A full ref, a branch, a tag or a whole commit id, in this order. AME's own host also takes the beginning of an id. */
async function findOnGithub(ame: Ame, repository: Repository, asked: string): Promise<Asked | null> {
  const { installationId, hostId, owner, name } = repository;
  const github = await ame.github.current();
  if (github === null || installationId === null)
    throw refuse(409, 'no-github-app', 'this server is no GitHub App now: open /setup');
  const place = { installationId, hostId, owner, name };
  try {
    for (const ref of asked.startsWith('refs/') ? [asked] : [`refs/heads/${asked}`, `refs/tags/${asked}`]) {
      const { now } = await readPush(github, place, { ref, before: zeroId, after: zeroId });
      if (now?.commit) {
        const read = await readPush(github, place, { ref, before: zeroId, after: now.commit });
        return { ref, commit: now.commit, file: read.after?.file ?? null };
      }
    }
    if (!/^[0-9a-f]{40}$/.test(asked)) return null;
    const { after } = await readPush(github, place, { ref: 'refs/heads/main', before: zeroId, after: asked });
    return after && { ref: null, commit: after.commit, file: after.file };
  } catch (error) {
    if (error instanceof GithubGoneError)
      throw refuse(404, 'repository-unreadable', `${owner}/${name} cannot be read: ${error.message}`);
    if (error instanceof GithubAwayError)
      throw refuse(409, 'github-away', `GitHub does not answer now: ${error.message}`);
    throw error;
  }
}

function planOf(project: Parameters<typeof planTask>[0], task: string): Pick<NewRun, 'plan' | 'planDigest'> {
  try {
    const { plan } = planTask(project, task);
    return { plan, planDigest: planDigest(plan) };
  } catch (error) {
    if (error instanceof PlanError) throw refuse(422, error.code, error.message);
    throw error;
  }
}
