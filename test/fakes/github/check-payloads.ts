import { fullName } from './ask.ts';
import { checkRunShape } from './check-shapes.ts';
import { about } from './payloads.ts';
import { simpleCommit } from './push-payloads.ts';
import { readCommit } from './read-git.ts';
import type { FakeRepository } from './repository.ts';
import { appShape, nodeId, timeShape } from './shapes.ts';
import type { FakeAccount, FakeCheckRun, World } from './world.ts';

export type CheckRunAction = 'created' | 'completed' | 'rerequested' | 'requested_action';

export function checkRunPayload(
  world: World,
  run: FakeCheckRun,
  action: CheckRunAction,
  sender: FakeAccount,
  identifier?: string,
): object {
  return {
    action,
    check_run: {
      ...checkRunShape(world, run),
      check_suite: suiteShape(world, run.repository, run.suiteId, run.headSha),
    },
    ...(identifier === undefined ? {} : { requested_action: { identifier } }),
    ...about(world, run.repository, sender),
  };
}

export async function checkSuitePayload(
  world: World,
  repository: FakeRepository,
  suite: { readonly id: number; readonly sha: string },
  action: 'requested' | 'rerequested' | 'completed',
  sender: FakeAccount,
): Promise<object> {
  const runs = repository.checkRuns.filter((run) => run.suiteId === suite.id);
  const url = `${world.url}/repos/${fullName(repository)}/check-suites/${suite.id}`;
  return {
    action,
    check_suite: {
      ...suiteShape(world, repository, suite.id, suite.sha),
      latest_check_runs_count: runs.length,
      check_runs_url: `${url}/check-runs`,
      head_commit: simpleCommit(await readCommit(repository.directory, suite.sha)),
    },
    ...about(world, repository, sender),
  };
}

function suiteShape(world: World, repository: FakeRepository, id: number, sha: string): object {
  const runs = repository.checkRuns.filter((run) => run.suiteId === id);
  const open = runs.some((run) => run.status !== 'completed');
  const completed = runs.length > 0 && !open;
  const failed = runs.some((run) => run.conclusion === 'failure');
  const now = timeShape(world.now());
  return {
    id,
    node_id: nodeId('CS', id),
    head_branch: repository.defaultBranch,
    head_sha: sha,
    status: completed ? 'completed' : 'queued',
    conclusion: completed ? (failed ? 'failure' : 'success') : null,
    url: `${world.url}/repos/${fullName(repository)}/check-suites/${id}`,
    before: '0'.repeat(40),
    after: sha,
    pull_requests: [],
    // GitHub's schema of this event is older than merge queues.
    app: { ...appShape(world), events: world.app.events.filter((event) => event !== 'merge_group') },
    created_at: now,
    updated_at: now,
  };
}
