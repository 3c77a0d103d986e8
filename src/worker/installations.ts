import { inTransaction, type Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import {
  findInstallation,
  listInstalledRepositories,
  saveInstallationRemoved,
  type Installation,
} from '../db/installations.ts';
import { saveAccess, upsertGithubRepository, wakeRepository, type Repository } from '../db/repositories.ts';
import { requestCancelOf } from '../db/runs.ts';
import type { GithubSource } from '../github-app.ts';
import { listRepositories } from '../github/installations.ts';
import type { Log } from '../log.ts';
import { asAway, requireGithub } from './github-answers.ts';
import type { StepEnd } from './loop.ts';

export type InstallationDeps = { readonly db: Db; readonly log: Log; readonly github: GithubSource };

/** Seconds between two looks at what an installation grants, without an event that says that it changed. */
const sweepSeconds = 3_600;

/**
 * Compares what an installation grants with the rows: what is new is looked at by the repositories' own loop, and
 * what is granted no more stops.
 */
export async function sweepInstallation(deps: InstallationDeps, claim: Claim): Promise<StepEnd> {
  const { db, log } = deps;
  const installation = await findInstallation(db, Number(claim.id));
  if (!installation || installation.removedAt) return { dueInSeconds: null };
  const known = await listInstalledRepositories(db, installation.hostId);
  if (installation.suspendedAt) {
    for (const row of known) await loseAccess(db, row, 'suspended');
    return { dueInSeconds: sweepSeconds };
  }
  const github = await requireGithub(deps.github);
  const granted = new Set<string>();
  try {
    for await (const found of listRepositories(github, installation.hostId)) {
      granted.add(found.hostId);
      const row = await upsertGithubRepository(db, {
        hostId: found.hostId,
        installationId: installation.hostId,
        owner: found.owner,
        name: found.name,
        access: found.archived || found.disabled ? 'archived' : 'open',
        defaultBranch: found.defaultBranch,
      });
      // It was deleted and is there again: its own look says what it is.
      if (row.access === 'deleted') {
        await saveAccess(db, row.id, 'removed');
        await wakeRepository(db, row.id);
      }
    }
  } catch (error) {
    throw asAway(error);
  }
  for (const row of known) {
    if (!granted.has(row.hostId)) await loseAccess(db, row, 'removed');
  }
  log.info({ installation: installation.hostId, repositories: granted.size }, 'installation looked at');
  return { dueInSeconds: sweepSeconds };
}

/** The App is no longer installed there: nothing of it can be read or told any more. Its records stay. */
export async function endInstallation(db: Db, installation: Pick<Installation, 'hostId'>): Promise<void> {
  for (const row of await listInstalledRepositories(db, installation.hostId))
    await loseAccess(db, row, 'removed');
  await saveInstallationRemoved(db, installation.hostId);
}

const causes = {
  suspended: 'The GitHub App was suspended for this account.',
  removed: 'The GitHub App is no longer installed on this repository.',
  deleted: 'The repository was deleted.',
} as const;

/** What runs of a repository that can no longer be read has nobody to answer to: it is asked to end. */
export async function loseAccess(db: Db, row: Repository, access: keyof typeof causes): Promise<void> {
  if (row.access === access) return;
  await inTransaction(db, async (tx) => {
    await saveAccess(tx, row.id, access);
    await requestCancelOf(tx, row.id, causes[access]);
  });
}
