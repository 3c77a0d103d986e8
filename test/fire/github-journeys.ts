import { sql } from 'drizzle-orm';
import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import { createClock, type Clock } from '../journeys/harness.ts';
import { text } from '../journeys/text.ts';
import { endOf, isDecided, isRunning, isStill, withoutLog, type Journey } from './journey.ts';
import { createWorld, type World } from './world.ts';

type OnGithub = {
  readonly world: World;
  readonly github: FakeGithub;
  readonly clock: Clock;
  readonly repository: FakeRepository;
};

const pets = { owner: 'acme', name: 'pets' };

/** A journey through GitHub, in the end of which is what its page shows: every check of every commit. */
function onGithub(name: string, play: (on: OnGithub) => Promise<readonly string[]>): Journey {
  return {
    name,
    async play(faults, ground) {
      const clock = createClock();
      await using github = await createFakeGithub({ enterprise: true, now: () => clock.now() });
      await using world = await createWorld(faults, {
        clock,
        ground,
        env: {
          AME_GITHUB_APP_ID: github.app.id,
          AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
          AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
          AME_GITHUB_URL: github.webUrl,
        },
        begun: (ame) => void (github.hookUrl = `${ame.address}/webhooks/github`),
      });
      const installation = await github.addInstallation({ account: pets.owner });
      const repository = await github.addRepository(installation, pets);
      const end = await play({ world, github, clock, repository });
      if (github.violations.length > 0) throw new Error(github.violations.join('\n'));
      const shown: string[] = [];
      for (const branch of ['main', 'topic']) {
        const head = await repository.read(`refs/heads/${branch}`);
        for (const { name: of, headSha, status, conclusion, title } of github.checkRuns(repository))
          if (headSha === head)
            shown.push(
              `github ${branch} ${of}: ${status} ${conclusion ?? '-'}, ${withoutTime(title ?? '-')}`,
            );
      }
      return {
        end: [...end, ...shown.toSorted()],
        met: [...world.met],
        done: [...world.done],
        restarts: world.restarts(),
      };
    },
  };
}

function withoutTime(title: string): string {
  return title.replace(/ after [\d.]+ \w+/, '');
}

/**
 * AME has looked at the repository, so that what is pushed now is a push: of a head that it meets for the first time
 * only the file is looked at.
 */
async function isKnown(world: World): Promise<boolean> {
  const { rows } = await world.ame().ctx.db.orm.execute(sql`select from heads`);
  return rows.length > 0 && (await isStill(world, 0, pets));
}

const file = (on: string, task: string): string => text`
  projectname: fire
  on: ${on}
  tasks:
    main: ${task}
`;

const brokenFile = onGithub('broken file', async ({ world, github, repository }) => {
  await world.until(() => isKnown(world));
  const pushing = github.push(repository, { 'ame.yaml': file('push', '{runcomand: x}') });
  await world.during(pushing);
  await world.until(() => isDecided(world, pets));
  const { says } = await world.ame().read.check((await pushing).after, null);
  return [...(await endOf(world, pets)), `file ${says.conclusion ?? '-'} ${says.title}`];
});

async function askToCancel(world: World): Promise<{ readonly over: boolean }> {
  const ame = world.ame();
  const { id } = await ame.read.run(pets);
  await ame.api('POST', `/runs/${id}/cancel`, {});
  const run = await ame.read.run(pets);
  return { over: run.cancelRequestedAt !== null || run.finishedAt !== null };
}

const cancelled = onGithub('cancel', async ({ world, github, repository }) => {
  await world.until(() => isKnown(world));
  await world.during(github.push(repository, { 'ame.yaml': file('push', '[echo begun, sleep 600]') }));
  await world.until(() => isRunning(world, pets));
  // Whoever saw no answer presses again; being asked twice is nothing.
  for (let presses = 0; ; presses += 1) {
    const asked = await world.during(askToCancel(world).catch(() => null));
    if (asked?.over === true) break;
    if (presses > 5) throw new Error('it could not be cancelled');
  }
  await world.until(() => isStill(world, 1, pets));
  return withoutLog(await endOf(world, pets));
});

const yearly = text`
  projectname: fire
  recurring_tasks:
    newyear: {taskref: main, schedule: "0 0 1 1 *"}
  tasks:
    main: echo ticked
`;

const tick = onGithub('tick', async ({ world, github, clock, repository }) => {
  await world.until(() => isKnown(world));
  await world.during(github.push(repository, { 'ame.yaml': yearly }));
  await world.until(() => isDecided(world, pets));
  const next = Date.UTC(clock.now().getUTCFullYear() + 1, 0, 1);
  clock.advance((next - clock.now().getTime()) / 1_000 + 1);
  await world.until(() => isStill(world, 1, pets));
  return endOf(world, pets);
});

const pullRequest = onGithub('pull request', async ({ world, github, repository }) => {
  const before = { 'ame.yaml': file('pull_request', '[echo hello, echo made > made]') };
  await repository.commit(before, { branch: 'main', message: 'before' });
  await world.until(() => isKnown(world));
  await repository.commit({ 'data.csv': '1\n' }, { branch: 'topic', message: 'after' });
  await world.during(github.openPullRequest(repository, { head: 'topic', base: 'main' }));
  await world.until(() => isStill(world, 1, pets));
  return endOf(world, pets);
});

const removed = onGithub('repository removed', async ({ world, github, repository }) => {
  await world.until(() => isKnown(world));
  await world.during(github.push(repository, { 'ame.yaml': file('push', '[echo begun, sleep 600]') }));
  // Of a repository that is gone GitHub takes no word any more: what was told stays what it shows.
  const isTold = (): boolean =>
    github
      .checkRuns(repository)
      .some(({ name, status }) => name === 'ame / main' && status === 'in_progress');
  await world.until(async () => (await isRunning(world, pets)) && isTold());
  await world.during(github.deleteRepository(repository));
  await world.until(async () => (await world.ame().read.runs(pets)).every((run) => run.finishedAt !== null));
  return withoutLog(await endOf(world, pets));
});

export const githubJourneys: readonly Journey[] = [brokenFile, cancelled, tick, pullRequest, removed];
