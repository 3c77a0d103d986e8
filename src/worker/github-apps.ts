import { findApp, knownDeliveries, saveSwept } from '../db/github-apps.ts';
import type { Db } from '../db/connect.ts';
import type { Claim } from '../db/due.ts';
import { listVanished, upsertInstallation } from '../db/installations.ts';
import type { GithubSource } from '../github-app.ts';
import type { Github } from '../github/connection.ts';
import { GithubGoneError, GithubRefusedError } from '../github/errors.ts';
import { listHookDeliveries, redeliver, type HookDelivery } from '../github/hook-deliveries.ts';
import { listInstallations } from '../github/installations.ts';
import { describeError, type Log } from '../log.ts';
import { asAway } from './github-answers.ts';
import { endInstallation } from './installations.ts';
import type { StepEnd } from './loop.ts';

export type AppDeps = { readonly db: Db; readonly log: Log; readonly github: GithubSource };

/** Seconds between two looks at what GitHub sent. */
const sweepSeconds = 180;

/** The same while there is more to ask for than one look does. */
const catchUpSeconds = 15;

/** GitHub keeps its list for three days: https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks */
const keptMs = 3 * 24 * 3_600_000;

/** What GitHub is asked to send again at one look: a long outage is caught up in steps, oldest first. */
const mostAtOnce = 50;

/**
 * A delivery that did not get through so often, within some four hours, is looked for no more, or each look would list
 * everything since: where it told of a ref, the sweep of the repository finds it.
 */
const mostTries = 8;

/** A delivery that is on its way now is in GitHub's list before it is in our rows. */
const settleMs = 60_000;

/** Asks for deliveries that failed or never came, and finds installations that we did not hear of. */
export async function sweepApp(deps: AppDeps, claim: Claim): Promise<StepEnd> {
  const { db } = deps;
  const row = await findApp(db, Number(claim.id));
  const github = await deps.github.current();
  // Another App than the one that this server is now: what was once its row stays, and nothing is asked for.
  if (!row || github === null || github.app.id !== row.appId) return { dueInSeconds: sweepSeconds };
  try {
    await sweepInstallations(deps, github);
    const swept = await sweepDeliveries(deps, github, { from: row.sweptUntil, now: claim.now });
    await saveSwept(db, claim, swept.until, swept.more ? catchUpSeconds : sweepSeconds);
  } catch (error) {
    throw asAway(error);
  }
  return { saved: true };
}

async function sweepInstallations({ db, log }: AppDeps, github: Github): Promise<void> {
  const listed = await listInstallations(github);
  for (const { id, account, permissions, suspendedAt } of listed) {
    const type = account.type === 'User' ? 'User' : 'Organization';
    await upsertInstallation(db, { hostId: id, account: { ...account, type }, permissions, suspendedAt });
  }
  const there = listed.map(({ id }) => id);
  for (const gone of await listVanished(db, there)) {
    log.info({ installation: gone.hostId }, 'installation removed');
    await endInstallation(db, gone);
  }
}

/** Answers with the time before which nothing is missing, and whether there is more to ask for. */
async function sweepDeliveries(
  { db, log }: AppDeps,
  github: Github,
  { from, now }: { readonly from: Date | null; readonly now: Date },
): Promise<{ readonly until: Date; readonly more: boolean }> {
  const oldest = new Date(now.getTime() - keptMs);
  const since = from !== null && from > oldest ? from : oldest;
  const settled = new Date(now.getTime() - settleMs);
  const newest = new Map<string, HookDelivery & { readonly tries: number; readonly firstAt: Date }>();
  for await (const sent of listHookDeliveries(github, { since })) {
    const seen = newest.get(sent.guid);
    newest.set(sent.guid, {
      ...(seen ?? sent),
      tries: (seen?.tries ?? 0) + 1,
      firstAt: sent.deliveredAt,
    });
  }
  const known = await knownDeliveries(db, [...newest.keys()]);
  const missing = [...newest.values()]
    .filter(({ guid, firstAt }) => !known.has(guid) && firstAt <= settled)
    .toSorted((a, b) => a.firstAt.getTime() - b.firstAt.getTime());
  const worth = missing.filter((one) => one.tries < mostTries && isWorthATry(one, now));
  const asked = worth.slice(0, mostAtOnce);
  for (const { id, guid } of asked) {
    try {
      await redeliver(github, id);
      log.info({ delivery: guid }, 'asked GitHub to send a delivery again');
    } catch (error) {
      // It is kept no more; what it told of a ref is found by the sweep of the repository.
      if (!(error instanceof GithubGoneError) && !(error instanceof GithubRefusedError)) throw error;
      log.warn({ delivery: guid, error: describeError(error) }, 'GitHub cannot send a delivery again');
    }
  }
  // What is still on its way, and what was asked for, is looked at again.
  const first = missing.find(({ tries }) => tries < mostTries)?.firstAt ?? settled;
  return { until: first < settled ? first : settled, more: worth.length > asked.length };
}

/** The pause doubles with each try from two minutes on, so that a body that never gets through costs little. */
function isWorthATry(sent: { readonly tries: number; readonly deliveredAt: Date }, now: Date): boolean {
  if (sent.tries === 1) return true;
  return now.getTime() - sent.deliveredAt.getTime() >= 2 ** (sent.tries - 1) * 60_000;
}
