import { deliver } from './deliver.ts';
import {
  installationPayload,
  installationRepositoriesPayload,
  repositoryPayload,
  type RepositoryChange,
} from './payloads.ts';
import { gitText } from './git.ts';
import { createRepository, type FakeRepository, type RepositoryOptions } from './repository.ts';
import { fullName } from './ask.ts';
import {
  accountOf,
  grantedRepositories,
  type FakeAccount,
  type FakeDelivery,
  type FakeInstallation,
  type Permissions,
  type World,
} from './world.ts';

/** `deliver: false`: GitHub's webhook for it is not sent. `sender`: the login of who did it. */
export type Press = { readonly deliver?: boolean; readonly sender?: string };

export type InstallationOptions = Press & {
  readonly account: string;
  readonly type?: FakeAccount['type'];
  readonly repositorySelection?: FakeInstallation['repositorySelection'];
  /** Those that are chosen, where the selection is `selected`. */
  readonly repositories?: readonly FakeRepository[];
  readonly permissions?: Permissions;
  readonly events?: readonly string[];
};

/** What people do to installations and repositories. Each sends GitHub's webhook where `hookUrl` is set. */
export type Grants = {
  addInstallation(options: InstallationOptions): Promise<FakeInstallation>;
  addRepository(
    installation: FakeInstallation | null,
    options: RepositoryOptions & Press,
  ): Promise<FakeRepository>;
  fork(
    repository: FakeRepository,
    options: { readonly owner: string; readonly name?: string; readonly private?: boolean },
  ): Promise<FakeRepository>;
  suspend(installation: FakeInstallation, press?: Press): Promise<void>;
  unsuspend(installation: FakeInstallation, press?: Press): Promise<void>;
  remove(installation: FakeInstallation, press?: Press): Promise<void>;
  setPermissions(
    installation: FakeInstallation,
    permissions: Permissions,
    events?: readonly string[],
    press?: Press,
  ): Promise<void>;
  setSelection(
    installation: FakeInstallation,
    repositories: readonly FakeRepository[] | 'all',
    press?: Press,
  ): Promise<void>;
  rename(repository: FakeRepository, name: string, press?: Press): Promise<void>;
  /** To another account; what the new owner installed says who sees it. */
  transfer(repository: FakeRepository, owner: string, press?: Press): Promise<void>;
  archive(repository: FakeRepository, archived?: boolean, press?: Press): Promise<void>;
  setVisibility(
    repository: FakeRepository,
    visibility: FakeRepository['visibility'],
    press?: Press,
  ): Promise<void>;
  setDefaultBranch(repository: FakeRepository, branch: string, press?: Press): Promise<void>;
  deleteRepository(repository: FakeRepository, press?: Press): Promise<void>;
};

/**
 * Sends the webhook of a press. Null where there is nowhere to send it, it is not wanted, or GitHub would not: no
 * installation sees the repository, or the one that does is suspended or not subscribed.
 */
export async function tell(
  world: World,
  press: Press | undefined,
  event: string,
  payload: (sender: FakeAccount) => object | Promise<object>,
): Promise<FakeDelivery | null> {
  if (world.hookUrl === null || press?.deliver === false) return null;
  const made = await payload(accountOf(world, press?.sender ?? 'ada', 'User'));
  return hears(world, event, made) ? deliver(world, event, made) : null;
}

function hears(world: World, event: string, payload: object): boolean {
  // What concerns the App itself comes whatever it subscribed to.
  if (event.startsWith('installation')) return true;
  const { installation } = payload as { readonly installation?: { readonly id: number } };
  const found = world.installations.find(({ id }) => id === installation?.id);
  if (!found || found.suspendedAt !== null) return false;
  // Who may write checks is asked for them again without a subscription.
  const checks = event === 'check_run' || event === 'check_suite';
  return found.events.includes(event) || (checks && found.permissions['checks'] === 'write');
}

export function createGrants(world: World): Grants {
  const tellInstallation = (
    action: Parameters<typeof installationPayload>[1],
    installation: FakeInstallation,
    repositories: readonly FakeRepository[],
    press: Press | undefined,
  ) =>
    tell(world, press, 'installation', (sender) =>
      installationPayload(world, action, installation, repositories, sender),
    );
  const tellRepository = (repository: FakeRepository, change: RepositoryChange, press: Press | undefined) =>
    tell(world, press, 'repository', (sender) => repositoryPayload(world, repository, change, sender));
  const tellGranted = (
    action: 'added' | 'removed',
    installation: FakeInstallation,
    repositories: readonly FakeRepository[],
    press: Press | undefined,
  ) =>
    tell(world, press, 'installation_repositories', (sender) =>
      installationRepositoriesPayload(world, action, installation, repositories, sender),
    );

  return {
    async addInstallation(options) {
      const installation: FakeInstallation = {
        id: world.nextId(),
        account: accountOf(world, options.account, options.type ?? 'Organization'),
        repositorySelection: options.repositorySelection ?? 'all',
        selected: new Set(options.repositories?.map(({ id }) => id)),
        permissions: options.permissions ?? world.app.permissions,
        events: options.events ?? world.app.events,
        suspendedAt: null,
        removed: false,
        createdAt: world.now(),
      };
      world.installations.push(installation);
      await tellInstallation('created', installation, grantedRepositories(world, installation), options);
      return installation;
    },
    async addRepository(installation, options) {
      const owner = options.owner ?? installation?.account.login;
      if (owner === undefined) throw new Error('say whose repository it is');
      const repository = await createRepository(world, accountOf(world, owner), options);
      if (!installation) return repository;
      const chosen = installation.repositorySelection === 'selected';
      if (chosen) installation.selected.add(repository.id);
      else await tellRepository(repository, { action: 'created' }, options);
      await tellGranted('added', installation, [repository], options);
      return repository;
    },
    fork: (repository, options) => forkOf(world, repository, options),
    async suspend(installation, press) {
      installation.suspendedAt = world.now();
      await tellInstallation('suspend', installation, [], press);
    },
    async unsuspend(installation, press) {
      installation.suspendedAt = null;
      await tellInstallation('unsuspend', installation, [], press);
    },
    async remove(installation, press) {
      const seen = grantedRepositories(world, installation);
      installation.removed = true;
      await tellInstallation('deleted', installation, seen, press);
    },
    async setPermissions(installation, permissions, events, press) {
      installation.permissions = permissions;
      if (events) installation.events = events;
      await tellInstallation('new_permissions_accepted', installation, [], press);
    },
    async setSelection(installation, repositories, press) {
      const before = grantedRepositories(world, installation);
      installation.repositorySelection = repositories === 'all' ? 'all' : 'selected';
      installation.selected.clear();
      if (repositories !== 'all') for (const { id } of repositories) installation.selected.add(id);
      const after = grantedRepositories(world, installation);
      const added = after.filter((one) => !before.includes(one));
      const removed = before.filter((one) => !after.includes(one));
      if (added.length > 0) await tellGranted('added', installation, added, press);
      if (removed.length > 0) await tellGranted('removed', installation, removed, press);
    },
    async rename(repository, name, press) {
      const from = repository.name;
      repository.formerNames.push(fullName(repository).toLowerCase());
      repository.name = name;
      await tellRepository(repository, { action: 'renamed', from }, press);
    },
    async transfer(repository, owner, press) {
      const from = repository.owner;
      const old = world.installations.filter(
        (one) => !one.removed && one.account === from && grantedRepositories(world, one).includes(repository),
      );
      repository.formerNames.push(fullName(repository).toLowerCase());
      repository.owner = accountOf(world, owner);
      for (const installation of old) installation.selected.delete(repository.id);
      await tellRepository(repository, { action: 'transferred', from }, press);
      for (const installation of old) await tellGranted('removed', installation, [repository], press);
      for (const installation of world.installations)
        if (grantedRepositories(world, installation).includes(repository))
          await tellGranted('added', installation, [repository], press);
    },
    async archive(repository, archived = true, press) {
      repository.archived = archived;
      await tellRepository(repository, { action: archived ? 'archived' : 'unarchived' }, press);
    },
    async setVisibility(repository, visibility, press) {
      repository.visibility = visibility;
      const action = visibility === 'public' ? 'publicized' : 'privatized';
      await tellRepository(repository, { action }, press);
    },
    async setDefaultBranch(repository, branch, press) {
      const from = repository.defaultBranch;
      repository.defaultBranch = branch;
      await tellRepository(repository, { action: 'edited', defaultBranchFrom: from }, press);
    },
    async deleteRepository(repository, press) {
      // Told while the installation still sees it, as the payload carries the installation.
      await tell(world, press, 'repository', (sender) =>
        repositoryPayload(world, repository, { action: 'deleted' }, sender),
      );
      repository.deleted = true;
    },
  };
}

async function forkOf(
  world: World,
  repository: FakeRepository,
  options: { readonly owner: string; readonly name?: string; readonly private?: boolean },
): Promise<FakeRepository> {
  const fork = await createRepository(
    world,
    accountOf(world, options.owner, 'User'),
    {
      name: options.name ?? repository.name,
      defaultBranch: repository.defaultBranch,
      private: options.private ?? repository.visibility !== 'public',
    },
    repository,
  );
  await gitText(fork.directory, ['fetch', '--quiet', repository.directory, '+refs/heads/*:refs/heads/*']);
  return fork;
}
