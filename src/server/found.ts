import type { Context as Ame } from '../context.ts';
import { findStoredApp } from '../db/github-apps.ts';
import { listInstallationRows, listInstalledRepositories, type Installation } from '../db/installations.ts';
import { listProjects, type ListedProject } from '../db/projects.ts';
import type { Repository } from '../db/repositories.ts';
import { SecretUnreadableError } from '../db/seal.ts';
import type { Github, RequestCount } from '../github/connection.ts';
import { appPageOf } from './setup/app-page.ts';

/** What an administrator is shown of GitHub: the App, who installed it, and what was found there. */
export type Found = {
  readonly app: FoundApp | null;
  /** By the account's name; those that were removed last. */
  readonly installations: readonly FoundInstallation[];
};

export type FoundApp = {
  readonly id: string;
  readonly source: 'environment' | 'setup';
  /** Where people install it; null where only GitHub knows. */
  readonly url: string | null;
};

export type FoundInstallation = {
  /** GitHub's own numeric id. */
  readonly id: string;
  readonly account: string;
  readonly accountType: Installation['accountType'];
  readonly suspendedAt: Date | null;
  readonly removedAt: Date | null;
  /** Of the last look at what it grants; null where that went well. */
  readonly lastError: string | null;
  /** Since this process began; null where it has asked nothing. */
  readonly requests: RequestCount | null;
  readonly repositories: readonly FoundRepository[];
};

export type FoundRepository = {
  readonly id: number;
  /** GitHub's own numeric id. */
  readonly hostId: string;
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string | null;
  readonly access: Repository['access'];
  /** That the default branch's file names; null where there is none that can be read. */
  readonly project: string | null;
  readonly lastError: string | null;
};

type Deps = Pick<Ame, 'config' | 'db' | 'github'>;

/** Reads it from the rows; nothing is asked of GitHub. */
export async function readFound(deps: Deps): Promise<Found> {
  const { db } = deps;
  const [app, rows, projects, counts] = await Promise.all([
    readFoundApp(deps),
    listInstallationRows(db),
    listProjects(db),
    readCounts(deps),
  ]);
  const named = new Map(projects.filter(isOnDefaultBranch).map((project) => [project.repositoryId, project]));
  const installations: FoundInstallation[] = [];
  for (const row of rows.toSorted((a, b) => Number(a.removedAt !== null) - Number(b.removedAt !== null))) {
    const repositories = await listInstalledRepositories(db, row.hostId);
    installations.push({
      id: row.hostId,
      account: row.account,
      accountType: row.accountType,
      suspendedAt: row.suspendedAt,
      removedAt: row.removedAt,
      lastError: row.lastError,
      requests: counts.get(row.hostId) ?? null,
      repositories: repositories
        .map((repository) => present(repository, named.get(repository.id)))
        .toSorted((a, b) => a.name.localeCompare(b.name)),
    });
  }
  return { app, installations };
}

/** The App that this server is; null where there is none. */
export async function readFoundApp({ config, db }: Pick<Deps, 'config' | 'db'>): Promise<FoundApp | null> {
  if (config.githubApp) return { id: config.githubApp.id, source: 'environment', url: null };
  const row = await findStoredApp(db);
  if (row === null) return null;
  const url = row.slug === null || row.slug === '' ? null : appPageOf(config.githubUrl, { slug: row.slug });
  return { id: row.appId, source: 'setup', url };
}

async function readCounts({ github }: Deps): Promise<Github['counts']> {
  try {
    return (await github.current())?.counts ?? new Map();
  } catch (error) {
    // What was found is shown also where the App's key cannot be read; `ame github check` says that it cannot.
    if (error instanceof SecretUnreadableError) return new Map();
    throw error;
  }
}

function isOnDefaultBranch({ revisionId, path }: ListedProject): boolean {
  return revisionId !== null && path === '';
}

function present(row: Repository, project: ListedProject | undefined): FoundRepository {
  const { id, hostId, owner, name, defaultBranch, access, lastError } = row;
  return { id, hostId, owner, name, defaultBranch, access, project: project?.name ?? null, lastError };
}
