import { suiteOf } from './check-operations.ts';
import { checkRunPayload, checkSuitePayload } from './check-payloads.ts';
import { tell, type Press } from './grants.ts';
import { pullRequestPayload, type PullChange } from './pull-payloads.ts';
import { followPull } from './pulls.ts';
import { mergeGroupPayload, pushPayload, type MergeGroup } from './push-payloads.ts';
import { readRef, type CommitOptions, type FakeRepository, type Files, type Pushed } from './repository.ts';
import { accountOf, type FakeCheckRun, type FakeDelivery, type FakePull, type World } from './world.ts';

export type Delivered = Pushed & { readonly delivery: FakeDelivery | null };

export type PullOptions = Press & {
  /** The branch that is to be merged. */
  readonly head: string;
  /** A fork; the repository itself where unsaid. */
  readonly headRepository?: FakeRepository;
  /** The default branch where unsaid. */
  readonly base?: string;
  readonly draft?: boolean;
  readonly title?: string;
};

export type PullUpdate = {
  readonly base?: string;
  readonly title?: string;
  readonly draft?: boolean;
  readonly state?: 'open' | 'closed';
  /** Closed as merged; where the base branch goes is for the test to say. */
  readonly merged?: boolean;
};

/** What people do within a repository. Each sends GitHub's webhook where `hookUrl` is set. */
export type Presses = {
  push(
    repository: FakeRepository,
    files: Files,
    options?: CommitOptions & Press & { readonly force?: boolean },
  ): Promise<Delivered>;
  /** The webhook of a push that was made before, by whatever means. */
  deliverPush(repository: FakeRepository, pushed: Pushed, press?: Press): Promise<FakeDelivery | null>;
  openPullRequest(repository: FakeRepository, options: PullOptions): Promise<FakePull>;
  /**
   * Applies the changes, looks where the head's branch is now, and sends one webhook for each of: synchronize,
   * edited, ready_for_review, converted_to_draft, closed, reopened.
   */
  updatePullRequest(pull: FakePull, update?: PullUpdate, press?: Press): Promise<void>;
  /** Makes the branch of a merge group from a commit, and asks for its checks. */
  mergeGroup(
    repository: FakeRepository,
    options: Press & { readonly head: string; readonly base?: string; readonly number?: number },
  ): Promise<MergeGroup>;
  destroyMergeGroup(repository: FakeRepository, group: MergeGroup, press?: Press): Promise<void>;
  pressRerun(run: FakeCheckRun, by: string): Promise<FakeDelivery | null>;
  pressRerunSuite(repository: FakeRepository, sha: string, by: string): Promise<FakeDelivery | null>;
  pressAction(run: FakeCheckRun, identifier: string, by: string): Promise<FakeDelivery | null>;
};

export function createPresses(world: World): Presses {
  const deliverPush: Presses['deliverPush'] = async (repository, pushed, press) => {
    const sent = await tell(world, press, 'push', (sender) => pushPayload(world, repository, pushed, sender));
    const branch = pushed.ref.startsWith('refs/heads/') && !/^0+$/.test(pushed.after);
    if (world.noise && branch)
      await tell(world, press, 'check_suite', (sender) => {
        const suite = { id: suiteOf(world, repository, pushed.after), sha: pushed.after };
        return checkSuitePayload(world, repository, suite, 'requested', sender);
      });
    return sent;
  };
  const tellPull = (pull: FakePull, change: PullChange, press: Press | undefined) =>
    tell(world, press, 'pull_request', (sender) => pullRequestPayload(world, pull, change, sender));

  return {
    async push(repository, files, { force, ...options } = {}) {
      const pushed = force
        ? await repository.forcePush(files, options)
        : await repository.commit(files, options);
      return { ...pushed, delivery: await deliverPush(repository, pushed, options) };
    },
    deliverPush,
    async openPullRequest(repository, options) {
      const pull = await createPull(world, repository, options);
      await tellPull(pull, { action: 'opened' }, options);
      return pull;
    },
    async updatePullRequest(pull, update = {}, press) {
      const before = pull.headSha;
      if (update.state === 'open' && pull.state === 'closed') {
        pull.state = 'open';
        pull.closedAt = null;
        await tellPull(pull, { action: 'reopened' }, press);
      }
      await followPull(pull);
      if (pull.headSha !== before) await tellPull(pull, { action: 'synchronize', before }, press);
      if (update.title !== undefined || update.base !== undefined)
        await tellPull(pull, await edit(pull, update), press);
      if (update.draft !== undefined && update.draft !== pull.draft) {
        pull.draft = update.draft;
        await tellPull(pull, { action: update.draft ? 'converted_to_draft' : 'ready_for_review' }, press);
      }
      if (pull.state === 'open' && (update.state === 'closed' || update.merged)) {
        pull.state = 'closed';
        pull.merged = update.merged ?? false;
        pull.mergeCommitSha = pull.merged ? pull.headSha : null;
        pull.closedAt = world.now();
        await tellPull(pull, { action: 'closed' }, press);
      }
      pull.updatedAt = world.now();
    },
    async mergeGroup(repository, { head, base = repository.defaultBranch, number = 1, ...press }) {
      const baseSha = await readRef(repository.directory, `refs/heads/${base}`);
      if (baseSha === null) throw new Error(`no branch ${base}`);
      const name = `gh-readonly-queue/${base}/pr-${number}-${baseSha}`;
      await repository.branch(name, head);
      const group: MergeGroup = {
        headSha: head,
        headRef: `refs/heads/${name}`,
        baseSha,
        baseRef: `refs/heads/${base}`,
      };
      await tell(world, press, 'merge_group', (sender) =>
        mergeGroupPayload(world, repository, group, 'checks_requested', sender),
      );
      return group;
    },
    async destroyMergeGroup(repository, group, press) {
      await repository.deleteRef(group.headRef);
      await tell(world, press, 'merge_group', (sender) =>
        mergeGroupPayload(world, repository, group, 'destroyed', sender),
      );
    },
    pressRerun: (run, by) =>
      tell(world, { sender: by }, 'check_run', (sender) =>
        checkRunPayload(world, run, 'rerequested', sender),
      ),
    pressRerunSuite: (repository, sha, by) =>
      tell(world, { sender: by }, 'check_suite', (sender) => {
        const suite = { id: suiteOf(world, repository, sha), sha };
        return checkSuitePayload(world, repository, suite, 'rerequested', sender);
      }),
    pressAction: (run, identifier, by) =>
      tell(world, { sender: by }, 'check_run', (sender) =>
        checkRunPayload(world, run, 'requested_action', sender, identifier),
      ),
  };
}

async function createPull(world: World, base: FakeRepository, options: PullOptions): Promise<FakePull> {
  const head = options.headRepository ?? base;
  const headSha = await readRef(head.directory, `refs/heads/${options.head}`);
  const baseRef = options.base ?? base.defaultBranch;
  const baseSha = await readRef(base.directory, `refs/heads/${baseRef}`);
  if (headSha === null || baseSha === null) throw new Error('a branch of the pull request is missing');
  const pull: FakePull = {
    id: world.nextId(),
    number: base.pulls.length + 1,
    base,
    head,
    headRef: options.head,
    author: accountOf(world, options.sender ?? 'ada', 'User'),
    createdAt: world.now(),
    title: options.title ?? options.head,
    baseRef,
    baseSha,
    headSha,
    state: 'open',
    draft: options.draft ?? false,
    merged: false,
    mergeCommitSha: null,
    updatedAt: world.now(),
    closedAt: null,
  };
  base.pulls.push(pull);
  await followPull(pull);
  return pull;
}

async function edit(pull: FakePull, update: PullUpdate): Promise<PullChange> {
  const { baseRef, baseSha, title } = pull;
  pull.title = update.title ?? title;
  if (update.base === undefined) return { action: 'edited', title };
  pull.baseRef = update.base;
  await followPull(pull);
  return {
    action: 'edited',
    base: { ref: baseRef, sha: baseSha },
    ...(update.title === undefined ? {} : { title }),
  };
}
