import { nodeId, accountShape, installationShape, repositoryShape } from './shapes.ts';
import type { FakeRepository } from './repository.ts';
import { fullName } from './ask.ts';
import { installationOf, type FakeAccount, type FakeInstallation, type World } from './world.ts';

/** What every payload about a repository ends with. */
export function about(world: World, repository: FakeRepository, sender: FakeAccount): object {
  const installation = installationOf(world, repository);
  return {
    repository: repositoryShape(world, repository),
    ...(repository.owner.type === 'Organization'
      ? { organization: organizationShape(world, repository.owner) }
      : {}),
    sender: accountShape(world, sender),
    ...(installation === null ? {} : { installation: simpleInstallation(installation) }),
  };
}

export function simpleInstallation(installation: FakeInstallation): object {
  return { id: installation.id, node_id: nodeId('MDIzOkludGVncmF0aW9u', installation.id) };
}

export function organizationShape(world: World, account: FakeAccount): object {
  const url = `${world.url}/orgs/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('O', account.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${world.webUrl}/avatars/${account.id}`,
    description: null,
  };
}

function granted(repository: FakeRepository): object {
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.visibility !== 'public',
  };
}

export type InstallationAction = 'created' | 'deleted' | 'suspend' | 'unsuspend' | 'new_permissions_accepted';

export function installationPayload(
  world: World,
  action: InstallationAction,
  installation: FakeInstallation,
  repositories: readonly FakeRepository[],
  sender: FakeAccount,
): object {
  return {
    action,
    installation: installationShape(world, installation),
    repositories: repositories.map(granted),
    ...(action === 'created' ? { requester: null } : {}),
    sender: accountShape(world, sender),
  };
}

export function installationRepositoriesPayload(
  world: World,
  action: 'added' | 'removed',
  installation: FakeInstallation,
  repositories: readonly FakeRepository[],
  sender: FakeAccount,
): object {
  const list = repositories.map(granted);
  return {
    action,
    installation: installationShape(world, installation),
    repository_selection: installation.repositorySelection,
    repositories_added: action === 'added' ? list : [],
    repositories_removed: action === 'removed' ? list : [],
    requester: null,
    sender: accountShape(world, sender),
  };
}

export type RepositoryChange =
  | { readonly action: 'created' | 'deleted' | 'archived' | 'unarchived' | 'privatized' | 'publicized' }
  | { readonly action: 'renamed'; readonly from: string }
  | { readonly action: 'edited'; readonly defaultBranchFrom: string }
  | { readonly action: 'transferred'; readonly from: FakeAccount };

export function repositoryPayload(
  world: World,
  repository: FakeRepository,
  change: RepositoryChange,
  sender: FakeAccount,
): object {
  return { action: change.action, ...changesOf(world, change), ...about(world, repository, sender) };
}

function changesOf(world: World, change: RepositoryChange): object {
  if (change.action === 'renamed') return { changes: { repository: { name: { from: change.from } } } };
  if (change.action === 'edited') return { changes: { default_branch: { from: change.defaultBranchFrom } } };
  if (change.action !== 'transferred') return {};
  const { from } = change;
  return {
    changes: {
      owner: {
        from:
          from.type === 'Organization'
            ? { organization: organizationShape(world, from) }
            : { user: accountShape(world, from) },
      },
    },
  };
}

/** Sent once the webhook of the App is set. */
export function pingPayload(world: World): object {
  const url = `${world.url}/app/hook`;
  return {
    zen: 'Keep it logically awesome.',
    hook_id: 1,
    hook: {
      type: 'App',
      id: 1,
      name: 'web',
      active: true,
      events: world.app.events,
      config: {
        content_type: world.hookContentType,
        insecure_ssl: '0',
        ...(world.app.webhookSecret === '' ? {} : { secret: '********' }),
        url: world.hookUrl ?? 'http://127.0.0.1/',
      },
      updated_at: '2026-01-01T00:00:00Z',
      created_at: '2026-01-01T00:00:00Z',
      app_id: Number(world.app.id),
      deliveries_url: `${url}/deliveries`,
    },
  };
}
