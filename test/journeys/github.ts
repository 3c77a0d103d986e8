import { sql } from 'drizzle-orm';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { wakeApps } from '../../src/db/github-apps.ts';
import { listInstallationRows, wakeInstallation } from '../../src/db/installations.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeRequest } from '../fakes/github/world.ts';
import { createAme, type Ame, type AmeOptions } from './harness.ts';

export type GithubAme = AsyncDisposable & {
  readonly ame: Ame;
  readonly github: FakeGithub;
  /** Steps until nothing is due and nothing runs. */
  readonly settle: () => Promise<void>;
  /** Has AME look at everything on GitHub now rather than in some minutes, and settles. */
  readonly hear: () => Promise<void>;
  /** What a commit was told, of the file first, then by age: `name: conclusion`, or the status of what is not over. */
  readonly told: (repository: FakeRepository, sha: string) => readonly string[];
  /** What was asked of GitHub's API meanwhile; exchanges of tokens, git and what counts as unchanged apart. */
  readonly requestsOf: (work: () => Promise<unknown>) => Promise<readonly FakeRequest[]>;
};

/** An AME that is an App of a fake of GitHub, by its environment, and hears of everything there. */
export async function createGithubAme(options: AmeOptions = {}): Promise<GithubAme> {
  await using undo = new AsyncDisposableStack();
  const github = undo.use(
    await createFakeGithub({ enterprise: true, ...(options.clock ? { now: () => clockOf(options) } : {}) }),
  );
  const ame = undo.use(
    await createAme({
      ...options,
      env: {
        AME_GITHUB_APP_ID: github.app.id,
        AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
        AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
        AME_GITHUB_URL: github.webUrl,
        ...options.env,
      },
    }),
  );
  github.hookUrl = `${ame.address}/webhooks/github`;
  const owned = undo.move();
  return {
    ame,
    github,
    async settle() {
      await ame.settle();
      // First words that wait a moment for a better one, which has come by now if it comes.
      const now = ame.ctx.db.now();
      await ame.ctx.db.orm.execute(
        sql`update checks set due_at = ${now} where said is null and due_at > ${now}`,
      );
      await ame.settle();
    },
    async hear() {
      await wakeApps(ame.ctx.db);
      await ame.settle();
      for (const row of await listInstallationRows(ame.ctx.db))
        await wakeInstallation(ame.ctx.db, row.hostId);
      await ame.settle();
      await ame.sweep();
      await ame.settle();
    },
    told: (repository, sha) =>
      github
        .checkRuns(repository)
        .filter(({ headSha }) => headSha === sha)
        // Those of one commit are sent side by side.
        .toSorted((a, b) => b.name.localeCompare(a.name) || a.id - b.id)
        .map(({ name, status, conclusion }) => `${name}: ${conclusion ?? status}`),
    async requestsOf(work) {
      const before = github.requests.length;
      await work();
      return github.requests
        .slice(before)
        .filter(
          ({ tokenExchange, notModified, path }) => !tokenExchange && !notModified && !path.includes('.git/'),
        );
    },
    async [Symbol.asyncDispose]() {
      const { violations } = github;
      await owned.disposeAsync();
      // Whatever a journey shows, nothing of it may be what GitHub would not say or take.
      if (violations.length > 0)
        throw new Error(`GitHub’s description was broken:\n${violations.join('\n')}`);
    },
  };
}

function clockOf({ clock }: AmeOptions): Date {
  if (!clock) throw new Error('no clock was given');
  return clock.now();
}
