import { taskOfRun } from '../core/check/run-check.ts';
import { cancelAction } from '../core/check.ts';
import { isFinal } from '../core/run.ts';
import { findCheckByExternalId, listChecks, renewCheck, type CheckRow } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import { insertDecisions } from '../db/deliveries.ts';
import type { Repository } from '../db/repositories.ts';
import { findRun, hasRunAt, requestCancel, type PlacedRun } from '../db/runs.ts';
import type { GithubSource } from '../github-app.ts';
import type { Github } from '../github/connection.ts';
import type { GithubEvent } from '../github/payload-event.ts';
import { mayWrite } from '../github/permission.ts';
import type { Log } from '../log.ts';
import { retryRun } from '../retry-run.ts';
import { askAbout, requireGithub } from './github-answers.ts';

export type PressDeps = {
  readonly db: Db;
  readonly log: Log;
  readonly github: GithubSource;
  readonly urlOf: (run: { readonly id: number }) => string;
};

type PressEvent = Extract<GithubEvent, { kind: 'check_run' | 'check_suite' }>;
type Pressed = { readonly deliveryId: string; readonly repository: Repository; readonly by: string };

/** Someone pressed a button of a check: Re-run of one or of all of a commit, or Cancel. Only who may write counts. */
export async function actOnPress(
  deps: PressDeps,
  deliveryId: string,
  repository: Repository,
  event: PressEvent,
): Promise<void> {
  const { db, log } = deps;
  const isButton = event.action === 'rerequested' || event.action === 'requested_action';
  const github = await requireGithub(deps.github);
  // Checks of other Apps are theirs, and what our own writing of checks makes GitHub say is no press.
  if (!isButton || event.appId !== github.app.id || event.sender === null) return;
  const pressed = { deliveryId, repository, by: `@${event.sender.login} on GitHub` };
  if (!(await maySay(deps, github, repository, event.sender))) {
    log.info({ delivery: deliveryId, sender: event.sender.id }, 'a button was pressed without write access');
    const message = `${pressed.by} has no write access to this repository, so the button did nothing.`;
    await record(db, pressed, event.headSha, 'press-refused', message);
    return;
  }
  if (event.kind === 'check_suite') {
    const all = await listChecks(db, { sha: event.headSha, repositoryId: repository.id });
    for (const check of latestOfEach(all)) await rerun(deps, pressed, check);
    return;
  }
  const check =
    event.externalId === null ? undefined : await findCheckByExternalId(db, repository.id, event.externalId);
  // A commit of the same id may stand in another repository; the check is of this one and of this commit.
  if (!check || check.sha !== event.headSha) return;
  if (event.action === 'rerequested') await rerun(deps, pressed, check);
  else if (event.identifier === cancelAction.identifier && check.runId !== null) {
    const asked = await requestCancel(db, check.runId, `${pressed.by} pressed Cancel.`);
    const what = asked ? 'pressed Cancel.' : 'pressed Cancel, and the run was ending or over already.';
    await record(db, pressed, check.sha, asked ? 'press-cancel' : 'press-nothing', `${pressed.by} ${what}`);
  }
}

/** Who pressed what, for `why`. */
async function record(
  db: Db,
  { deliveryId, repository }: Pressed,
  commit: string,
  rule: string,
  message: string,
): Promise<void> {
  const about = { deliveryId, projectId: null, repositoryId: repository.id, commit };
  await insertDecisions(db, [{ ...about, trigger: 'request', task: null, outcome: 'no_run', rule, message }]);
}

function maySay(
  deps: PressDeps,
  github: Github,
  repository: Repository,
  sender: { readonly id: string; readonly login: string },
): Promise<boolean> {
  return askAbout(deps.db, repository, (place) => mayWrite(github, place, sender.login, sender.id));
}

/** The file's check, and of each task the check of its newest run: re-running all means what is shown now. */
function latestOfEach(checks: readonly CheckRow[]): readonly CheckRow[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()];
}

async function rerun(deps: PressDeps, pressed: Pressed, check: CheckRow): Promise<void> {
  const { db } = deps;
  const { by, deliveryId, repository } = pressed;
  if (check.runId === null) {
    // Where the task runs by now, its own check is the answer, and that of the fork would cover it.
    const task = taskOfRun(check.name);
    const covered = task !== null && (await hasRunAt(db, repository.id, check.sha, task));
    if (!covered) await renewCheck(db, check);
    const what = covered ? 'asked for it again, and it has run since.' : `asked for ${check.name} again.`;
    await record(db, pressed, check.sha, covered ? 'press-nothing' : 'press-retold', `${by} ${what}`);
    return;
  }
  const run = await findRun(db, check.runId);
  if (!run) return;
  const name = `${run.project.name}#${run.number}`;
  if (!isFinal(run.state)) {
    const message = `${by} asked to run ${name} again, which has not ended yet.`;
    await record(db, pressed, check.sha, 'press-nothing', message);
    return;
  }
  const message = `${by} asked to run ${name} again.`;
  await retryRun(deps, run, { by, message, whole: isGreen(run), deliveryId });
}

/** What succeeded has nothing to try again, so all of it runs once more. */
function isGreen(run: PlacedRun): boolean {
  return run.state === 'succeeded';
}
