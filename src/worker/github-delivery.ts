import { gatherPullRequest, githubHeadOf } from './github-head.ts';
import type { Db } from '../db/connect.ts';
import { saveNarrowed, type Delivery } from '../db/deliveries.ts';
import {
  findGithubRepository,
  findRepository,
  upsertGithubRepository,
  type Repository,
} from '../db/repositories.ts';
import type { GithubSource } from '../github-app.ts';
import { narrowDelivery } from '../github/payload.ts';
import type { GithubEvent, PayloadRepository } from '../github/payload-event.ts';
import type { Log } from '../log.ts';
import { askAbout, requireGithub } from './github-answers.ts';
import { actOnPress, type PressDeps } from './github-press.ts';
import { hearOfAccess } from './github-access.ts';
import { findAnsweredHead } from './answered-head.ts';
import type { Head } from './head.ts';
import type { Turn } from './turns.ts';
import { gatherGithubPush } from './github-push.ts';

export type GithubDeliveryDeps = PressDeps & {
  readonly db: Db;
  readonly log: Log;
  readonly github: GithubSource;
};

/** What a delivery comes to: a head to be answered; something that was done; or nothing that concerns AME. */
export type Gathered =
  | { readonly kind: 'head'; readonly repository: Repository; readonly head: Head }
  | { readonly kind: 'unreadable'; readonly repository: Repository; readonly trigger: Head['trigger'] }
  | { readonly kind: 'done' }
  /** Another delivery of the same commit was being decided: it is to be looked at afresh. */
  | { readonly kind: 'later' }
  | { readonly kind: 'ignored' };

/** Reads what GitHub said, and acts on what is no head. Everything that it does may be done twice. */
export async function gatherDelivery(
  deps: GithubDeliveryDeps,
  delivery: Delivery,
  turn: Turn,
): Promise<Gathered> {
  const { db, log } = deps;
  // A push that nobody told us of: the sweep wrote down where the ref was and is. No payload says that, so it has no
  // installation.
  const { ref, before, after } = delivery;
  const repositoryId = delivery.installationId === null ? delivery.repositoryId : null;
  if (
    delivery.event === 'push' &&
    repositoryId !== null &&
    ref !== null &&
    before !== null &&
    after !== null
  ) {
    const repository = await findRepository(db, repositoryId);
    if (!repository) return { kind: 'ignored' };
    return gatherHead(deps, repository, 'push', (github, place) =>
      gatherGithubPush(github, place, { ref, before, after }),
    );
  }
  if (
    delivery.event === 'pull_request' &&
    repositoryId !== null &&
    delivery.pullRequest !== null &&
    after !== null
  ) {
    const repository = await findRepository(db, repositoryId);
    if (!repository) return { kind: 'ignored' };
    const asked = { number: delivery.pullRequest, headSha: after, unmoved: before === after };
    return gatherHead(deps, repository, 'pull_request', (github, place) =>
      gatherPullRequest(github, place, asked),
    );
  }
  const event = narrowDelivery(delivery.event, delivery.body);
  if (event.kind === 'unreadable') {
    log.warn(
      { delivery: delivery.id, event: delivery.event, reason: event.reason },
      'delivery not understood',
    );
    return { kind: 'ignored' };
  }
  const action = 'action' in event ? event.action : null;
  const installationId = installationOf(event);
  await saveNarrowed(db, delivery.id, { action, installationId });
  switch (event.kind) {
    case 'installation':
    case 'installation_repositories':
    case 'installation_target':
    case 'repository':
    case 'ping':
      await hearOfAccess(deps, event);
      return { kind: 'done' };
    case 'check_run':
    case 'check_suite': {
      const repository = await repositoryOf(db, event);
      await actOnPress(deps, delivery.id, repository, event);
      return { kind: 'done' };
    }
    case 'push':
    case 'pull_request':
    case 'merge_group': {
      const repository = await repositoryOf(db, event);
      const asked = githubHeadOf(event);
      await saveNarrowed(db, delivery.id, { repositoryId: repository.id, ...asked.said });
      if (asked.gather === null) return { kind: 'done' };
      if (asked.own !== null) {
        if (!(await turn.take(`${repository.id} ${asked.own.after}`))) return { kind: 'later' };
        const answered = isReadable(repository) ? await findAnsweredHead(db, repository, asked.own) : null;
        if (answered !== null) return { kind: 'head', repository, head: answered };
      }
      return gatherHead(deps, repository, asked.trigger, asked.gather);
    }
    case 'other':
      return { kind: 'ignored' };
  }
}

async function gatherHead(
  deps: GithubDeliveryDeps,
  repository: Repository,
  trigger: Head['trigger'],
  gather: NonNullable<ReturnType<typeof githubHeadOf>['gather']>,
): Promise<Gathered> {
  // Where the App was removed or suspended meanwhile, nothing can be read, and nobody told.
  if (!isReadable(repository)) return { kind: 'unreadable', repository, trigger };
  const github = await requireGithub(deps.github);
  const head = await askAbout(deps.db, repository, (place) => gather(github, place));
  if (head === null) return { kind: 'done' };
  // What decides may ask GitHub too.
  return {
    kind: 'head',
    repository,
    head: { ...head, decide: (project) => askAbout(deps.db, repository, () => head.decide(project)) },
  };
}

function isReadable({ access }: Repository): boolean {
  return access === 'open' || access === 'archived';
}

/** The row of the repository that a payload is about; one that nobody told us of is stored as the payload says. */
async function repositoryOf(
  db: Db,
  event: { readonly installationId: string; readonly repository: PayloadRepository },
): Promise<Repository> {
  const { hostId, owner, name, archived, defaultBranch } = event.repository;
  const known = await findGithubRepository(db, hostId);
  if (known) return known;
  return upsertGithubRepository(db, {
    hostId,
    installationId: event.installationId,
    owner,
    name,
    access: archived === true ? 'archived' : 'open',
    defaultBranch,
  });
}

function installationOf(event: GithubEvent): string | null {
  if ('installation' in event) return event.installation.id;
  return 'installationId' in event ? event.installationId : null;
}
