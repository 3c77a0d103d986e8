import { asApp, asInstallation, type Answer } from './connect.ts';
import type { Github } from './connection.ts';
import { hostNumber } from './host-number.ts';

export type Installation = {
  readonly id: string;
  readonly account: { readonly id: string; readonly login: string; readonly type: string };
  /** By GitHub's names and levels, as far as the account's owner has accepted them. */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly repositorySelection: 'all' | 'selected';
  readonly suspendedAt: Date | null;
};

export type InstallationRepository = {
  readonly hostId: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
  readonly archived: boolean;
  readonly isPrivate: boolean;
  readonly disabled: boolean;
  readonly fork: boolean;
};

/** The most that GitHub gives on a page. */
const perPage = 100;

/** Every installation of the App, also suspended ones. One request for each hundred. */
export async function listInstallations(github: Github): Promise<readonly Installation[]> {
  const found: Installation[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await asApp(github, 'GET /app/installations', { per_page: perPage, page });
    found.push(...answer.data.map(installationOf));
    if (!hasNext(answer.headers.link)) return found;
  }
}

/** Throws `GithubGoneError` where the App was removed. */
export async function readInstallation(github: Github, id: string): Promise<Installation> {
  const { data } = await asApp(github, 'GET /app/installations/{installation_id}', {
    installation_id: hostNumber(id),
  });
  return installationOf(data);
}

/**
 * Every repository that an installation grants, a page at a time. Throws `GithubGoneError` where the installation
 * is suspended or removed.
 */
export async function* listRepositories(
  github: Github,
  installationId: string,
): AsyncGenerator<InstallationRepository> {
  for (let page = 1; ; page += 1) {
    const answer = await asInstallation(github, installationId, 'GET /installation/repositories', {
      per_page: perPage,
      page,
    });
    yield* answer.data.repositories.map(repositoryOf);
    if (!hasNext(answer.headers.link)) return;
  }
}

/** Whether a Link header names another page. Its address is not called: page numbers lead to the same place. */
function hasNext(link: string | number | undefined): boolean {
  return /;\s*rel="next"/.test(String(link ?? ''));
}

type ListedInstallation = Answer<'GET /app/installations/{installation_id}'>['data'];
type ListedRepository = Answer<'GET /installation/repositories'>['data']['repositories'][number];

function installationOf(installation: ListedInstallation): Installation {
  const { account, suspended_at: suspendedAt } = installation;
  return {
    id: String(installation.id),
    account: {
      id: String(account?.id ?? ''),
      // An enterprise has a slug instead of a login.
      login: account === null ? '' : 'login' in account ? account.login : account.slug,
      type: account !== null && 'type' in account ? account.type : installation.target_type,
    },
    permissions: { ...installation.permissions },
    events: installation.events,
    repositorySelection: installation.repository_selection,
    suspendedAt: suspendedAt ? new Date(suspendedAt) : null,
  };
}

function repositoryOf(repository: ListedRepository): InstallationRepository {
  return {
    hostId: String(repository.id),
    owner: repository.owner.login,
    name: repository.name,
    defaultBranch: repository.default_branch,
    archived: repository.archived,
    isPrivate: repository.private,
    disabled: repository.disabled,
    fork: repository.fork,
  };
}
