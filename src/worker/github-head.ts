import type { Project } from '../core/project.ts';
import { busyRule, decidePullRequest } from '../core/trigger.ts';
import { noRun, type Decision } from '../core/trigger/decision.ts';
import { pullRequestBusyRule } from '../core/trigger/place-run.ts';
import { isZeroId } from '../git/object-id.ts';
import { changedPathsOfPullRequest } from '../github/changed-paths.ts';
import type { Github, GithubRepository } from '../github/connection.ts';
import type { GithubEvent } from '../github/payload-event.ts';
import { readPullRequest } from '../github/pull-request.ts';
import { readProjectFile } from '../project-at.ts';
import type { OwnHead } from './answered-head.ts';
import { fileName, type Head } from './head.ts';
import { fileOf, gatherGithubPush, type PushedRef } from './github-push.ts';

type HeadEvent = Extract<GithubEvent, { kind: 'push' | 'pull_request' | 'merge_group' }>;
type MergeGroupEvent = Extract<GithubEvent, { kind: 'merge_group' }>;

export type AskedHead = {
  /** Of a branch of the repository itself: another delivery may have answered it already. */
  readonly own: OwnHead | null;
  readonly trigger: Head['trigger'];
  /** What the payload says of the head, for whoever looks for its commit. */
  readonly said: Partial<PushedRef> & { readonly pullRequest?: number };
  /** Reads what is true of it now; null where there is nothing to answer, or nobody waits for an answer any more. */
  readonly gather: ((github: Github, place: GithubRepository) => Promise<Head | null>) | null;
};

/** Which head a delivery is about, and how it is read. What the payload says of it may be old. */
export function githubHeadOf(event: HeadEvent): AskedHead {
  switch (event.kind) {
    case 'push': {
      const { ref, before, after } = event;
      return {
        trigger: 'push',
        said: { ref, before, after },
        own:
          ref.startsWith('refs/heads/') && !isZeroId(after) ? { trigger: 'push', ref, before, after } : null,
        gather: (github, place) => gatherGithubPush(github, place, { ref, before, after }),
      };
    }
    case 'pull_request': {
      const { number, headSha: after, headRef } = event;
      const isNews = event.action !== 'edited' || event.baseChanged;
      const ref = refOf(event.fromFork, number, headRef);
      return {
        trigger: 'pull_request',
        said: { ref, after, pullRequest: number },
        own: event.fromFork ? null : { trigger: 'pull_request', ref, after, number, base: event.baseRef },
        gather:
          event.action === 'closed' || !isNews
            ? null
            : (github, place) => gatherPullRequest(github, place, { number, headSha: after, unmoved: false }),
      };
    }
    case 'merge_group': {
      const { headRef: ref, baseSha: before, headSha: after } = event;
      return {
        trigger: 'push',
        said: { ref, before, after },
        own: null,
        gather:
          event.action === 'destroyed' ? null : (github, place) => gatherMergeGroup(github, place, event),
      };
    }
  }
}

function refOf(fromFork: boolean, number: number, headRef: string): string {
  return fromFork ? `refs/pull/${number}/head` : `refs/heads/${headRef}`;
}

export type AskedPullRequest = {
  readonly number: number;
  readonly headSha: string;
  /** Only who looks at it is new: its file is checked, and nothing of it runs. */
  readonly unmoved: boolean;
};

/**
 * A head that was pushed to once more before anybody looked has its answer too: the file's check, and the run that is
 * cancelled where `concurrency` says so. Of code of a fork nothing is to wait for approval that is no head any more.
 */
export async function gatherPullRequest(
  github: Github,
  place: GithubRepository,
  { number, headSha, unmoved }: AskedPullRequest,
): Promise<Head | null> {
  const pull = await readPullRequest(github, place, number, headSha);
  const { head, base, fromFork, outdated } = pull;
  // GitHub has it no more, so that there is nothing to say anything on.
  if (head.commit !== headSha) return null;
  const isOpen = pull.state === 'open';
  // Who decides about code of a fork is the file of the branch that it wants to come into.
  const policy = fromFork && base.file ? readProjectFile(base.file).project : null;
  const facts = { base: base.ref, fromFork, approved: false, changedPaths: null };

  /** Why nothing of this head is to run, or to wait for approval, any more. */
  function whyGone(): Decision | null {
    if (!isOpen) return noRun('pull-request-closed', null, `The pull request is ${pull.state}.`);
    if (!fromFork || !outdated) return null;
    return noRun(
      'head-outdated',
      null,
      'The pull request was pushed to once more before this was looked at.',
    );
  }

  async function decide(project: Project | null): Promise<Decision> {
    if (head.file === null) return noRun('file-absent', null, `There is no ${fileName} at this commit.`);
    const gone = whyGone();
    if (gone !== null) return project === null ? decidePullRequest(null, facts) : gone;
    if (unmoved && project !== null)
      return noRun(
        'nothing-pushed',
        null,
        'The pull request was only looked at. Its next push is decided by the file.',
      );
    if (fromFork && base.file === null)
      return noRun(
        'base-file-absent',
        null,
        `The base branch has no ${fileName}, which decides about forks.`,
      );
    const decides = fromFork ? policy : project;
    const decision = decidePullRequest(decides, facts);
    const namesPaths = (decides?.on?.pullRequest?.paths ?? null) !== null;
    if (decision.outcome === 'no-run' || !namesPaths) return decision;
    const changedPaths = await changedPathsOfPullRequest(github, place, {
      base: base.commit,
      head: head.commit,
    });
    return decidePullRequest(decides, { ...facts, changedPaths });
  }

  return {
    ...fileOf(head),
    // One that is opened again is to be looked for.
    seen: isOpen ? `refs/pull/${number}/head` : null,
    trigger: 'pull_request',
    ref: refOf(fromFork, number, head.ref),
    outdated,
    isDefaultBranch: false,
    fromFork,
    decide,
    whenBusy: (project) =>
      pullRequestBusyRule(project, { fromFork, branch: head.ref, fileId: head.file?.id ?? null }),
  };
}

/**
 * What GitHub made for its merge queue is a pushed branch too, and has a push's answer; where pushes to it run
 * nothing, it has that of a pull request into the same base.
 */
async function gatherMergeGroup(
  github: Github,
  place: GithubRepository,
  event: MergeGroupEvent,
): Promise<Head> {
  const { headRef: ref, baseSha: before, headSha: after } = event;
  const pushed = await gatherGithubPush(github, place, { ref, before, after });
  const base = event.baseRef.replace(/^refs\/heads\//, '');
  let asPullRequest = false;
  return {
    ...pushed,
    decide: async (project) => {
      const decision = await pushed.decide(project);
      if (decision.outcome === 'run' || !project?.on?.pullRequest) return decision;
      const { paths } = project.on.pullRequest;
      const changedPaths =
        paths === null || isZeroId(before)
          ? null
          : await changedPathsOfPullRequest(github, place, { base: before, head: after });
      const facts = { base, fromFork: false, approved: false, changedPaths };
      const second = decidePullRequest(project, facts);
      asPullRequest = second.outcome === 'run';
      return asPullRequest ? second : decision;
    },
    whenBusy: (project) => (asPullRequest ? busyRule(project, 'pull_request') : pushed.whenBusy(project)),
  };
}
