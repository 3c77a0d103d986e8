import type { Db } from '../db/connect.ts';
import { wakeApps } from '../db/github-apps.ts';
import { upsertInstallation, wakeInstallation } from '../db/installations.ts';
import {
  findGithubRepository,
  saveAccess,
  upsertGithubRepository,
  wakeRepository,
} from '../db/repositories.ts';
import type { GithubEvent, PayloadInstallation } from '../github/payload-event.ts';
import type { Log } from '../log.ts';
import { endInstallation, loseAccess } from './installations.ts';

type AccessEvent = Extract<
  GithubEvent,
  { kind: 'installation' | 'installation_repositories' | 'installation_target' | 'repository' | 'ping' }
>;

/**
 * What changes who may read what. Events come late and in any order, so each only makes the rows look again at what
 * is true now; the ends, after which there is nothing to look at, are taken at their word.
 */
export async function hearOfAccess(
  deps: { readonly db: Db; readonly log: Log },
  event: AccessEvent,
): Promise<void> {
  const { db } = deps;
  switch (event.kind) {
    case 'ping':
      await wakeApps(db);
      return;
    case 'installation_target':
      await wakeApps(db);
      await wakeInstallation(db, event.installationId);
      return;
    case 'installation':
      if (event.action === 'deleted') await endInstallation(db, { hostId: event.installation.id });
      else if (event.action === 'created') await store(db, event.installation);
      // Suspended or not, and with which permissions: what GitHub lists says so as it is now.
      await wakeApps(db);
      await wakeInstallation(db, event.installation.id);
      return;
    case 'installation_repositories':
      // What it grants now is listed by GitHub: this event may be hours old.
      await store(db, event.installation);
      return;
    case 'repository':
      await hearOfRepository(db, event);
  }
}

async function hearOfRepository(db: Db, event: Extract<AccessEvent, { kind: 'repository' }>): Promise<void> {
  const { hostId, owner, name, archived, defaultBranch } = event.repository;
  const known = await findGithubRepository(db, hostId);
  if (event.action === 'deleted') {
    if (known) await loseAccess(db, known, 'deleted');
    return;
  }
  if (known && known.installationId !== event.installationId && event.action !== 'transferred') {
    // Of the account that it belonged to before, or of one that we have not heard of yet: both are looked at.
    await wakeRepository(db, known.id);
    await wakeInstallation(db, event.installationId);
    await wakeApps(db);
    return;
  }
  if (!known || known.installationId !== event.installationId) {
    const access = archived === true ? 'archived' : 'open';
    await upsertGithubRepository(db, {
      hostId,
      installationId: event.installationId,
      owner,
      name,
      access,
      defaultBranch,
    });
    return;
  }
  if (event.action === 'unarchived' && known.access === 'archived') await saveAccess(db, known.id, 'open');
  await wakeRepository(db, known.id);
}

async function store(db: Db, installation: PayloadInstallation): Promise<void> {
  const { id, account, permissions, isSuspended } = installation;
  await upsertInstallation(db, {
    hostId: id,
    account: { ...account, type: account.type === 'User' ? 'User' : 'Organization' },
    permissions,
    suspendedAt: isSuspended ? new Date(0) : null,
  });
  await wakeInstallation(db, id);
}
