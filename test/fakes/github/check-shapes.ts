import { fullName } from './ask.ts';
import { appShape, nodeId } from './shapes.ts';
import type { FakeCheckRun, FakePull, World } from './world.ts';

export function checkRunShape(world: World, run: FakeCheckRun): object {
  const { repository } = run;
  const url = `${world.url}/repos/${fullName(repository)}/check-runs/${run.id}`;
  const html = `${world.webUrl}/${fullName(repository)}/runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CR', run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    name: run.name,
    check_suite: { id: run.suiteId },
    app: appShape(world),
    pull_requests: pullsAt(run).map((pull) => pullMinimalShape(world, pull)),
  };
}

/** Open pull requests of that head from the repository itself: GitHub never lists those of forks here. */
function pullsAt(run: FakeCheckRun): readonly FakePull[] {
  return run.repository.pulls.filter(
    (pull) => pull.state === 'open' && pull.headSha === run.headSha && pull.head === run.repository,
  );
}

export function pullMinimalShape(world: World, pull: FakePull): object {
  const side = (repository: FakePull['base'], ref: string, sha: string): object => ({
    ref,
    sha,
    repo: {
      id: repository.id,
      url: `${world.url}/repos/${fullName(repository)}`,
      name: repository.name,
    },
  });
  return {
    id: pull.id,
    number: pull.number,
    url: `${world.url}/repos/${fullName(pull.base)}/pulls/${pull.number}`,
    head: side(pull.head, pull.headRef, pull.headSha),
    base: side(pull.base, pull.baseRef, pull.baseSha),
  };
}
