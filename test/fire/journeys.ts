import { createFakeGithub, type FakeGithub } from '../fakes/github.ts';
import { createClock, type Clock } from '../journeys/harness.ts';
import { text } from '../journeys/text.ts';
import { bucket, cluster } from './far-journeys.ts';
import { endOf, isDecided, isStill, local, type Journey } from './journey.ts';
import { createWorld, type World } from './world.ts';

async function cancel(world: World): Promise<void> {
  const { read } = world.ame();
  const run = await read.run(world.clone);
  await world.ame().api('POST', `/runs/${run.id}/cancel`, {});
}

const one = text`
  projectname: fire
  on: push
  tasks:
    main: [echo hello, echo made > made]
`;

const six = text`
  projectname: fire
  on: push
  tasks:
    main:
      pipeline:
        fetch: [echo fetched, echo data > data]
        left: {needs: [fetch], runcommand: [cat data, echo left > left]}
        right: {needs: [fetch], runcommand: 'if [ $AME_ATTEMPT = 1 ]; then exit 3; fi; echo right > right', retries: 1}
        join: {needs: [left, right], runcommand: cat data left right}
        never: {needs: [join], if: failure, runcommand: echo never}
        always: {needs: [join], if: always, runcommand: echo over}
`;

const long = (busy: string): string => text`
  projectname: fire
  on: push
  concurrency: {when_busy: ${busy}}
  tasks:
    main: [echo begun, sleep 600]
`;

const isRunning = async (world: World): Promise<boolean> => {
  const [run] = await world.ame().read.runs(world.clone);
  return run !== undefined && (await world.ame().read.attempts(run)).some((row) => row.state === 'running');
};

const push = local('push', async (world) => {
  await world.push({ 'ame.yaml': one });
  await world.until(() => isStill(world, 1));
  return endOf(world);
});

const pipeline = local('pipeline of six with a retry', async (world) => {
  await world.push({ 'ame.yaml': six });
  await world.until(() => isStill(world, 1));
  return endOf(world);
});

const brokenFile = local('broken file', async (world) => {
  const commit = await world.push({
    'ame.yaml': 'projectname: fire\non: push\ntasks:\n  main: {runcomand: x}\n',
  });
  await world.until(() => isDecided(world));
  const { says } = await world.ame().read.check(commit, null);
  return [...(await endOf(world)), `file ${says.conclusion ?? '-'} ${says.title}`];
});

const cancelled = local('cancel', async (world) => {
  await world.push({ 'ame.yaml': long('allow') });
  await world.until(() => isRunning(world));
  // Whoever saw no answer presses again; being asked twice is nothing.
  for (let presses = 0; ; presses += 1) {
    const asked = await world.during(
      cancel(world)
        .then(() => world.ame().read.run(world.clone))
        .catch(() => null),
    );
    if (asked !== null && (asked.cancelRequestedAt !== null || asked.finishedAt !== null)) break;
    if (presses > 5) throw new Error('it could not be cancelled');
  }
  await world.until(() => isStill(world, 1));
  return (await endOf(world)).map((line) => line.replace(/"(begun\\n)?"/, 'log'));
});

const forcePush = local('force push over a running run', async (world) => {
  await world.push({ 'ame.yaml': long('cancel') });
  await world.until(() => isRunning(world));
  await world.clone.git('checkout', '--quiet', '--orphan', 'other');
  await world.clone.commit(
    { 'ame.yaml': one.replace('on: push', 'on: push\nconcurrency: {when_busy: cancel}') },
    { branch: 'other' },
  );
  await world.push(undefined, { refspecs: ['+other:main'] });
  await world.until(() => isStill(world, 2));
  return (await endOf(world)).map((line) => line.replace(/"(begun\\n)?"/, 'log'));
});

const yearly = text`
  projectname: fire
  recurring_tasks:
    newyear: {taskref: main, schedule: "0 0 1 1 *"}
  tasks:
    main: echo ticked
`;

const tick = local('tick', async (world, clock) => {
  await world.push({ 'ame.yaml': yearly });
  await world.until(() => isDecided(world));
  const next = Date.UTC(clock.now().getUTCFullYear() + 1, 0, 1);
  clock.advance((next - clock.now().getTime()) / 1_000 + 1);
  await world.until(() => isStill(world, 1));
  return endOf(world);
});

type OnGithub = {
  readonly world: World;
  readonly github: FakeGithub;
  readonly clock: Clock;
};

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
      const end = await play({ world, github, clock });
      if (github.violations.length > 0) throw new Error(github.violations.join('\n'));
      return { end, met: [...world.met], done: [...world.done], restarts: world.restarts() };
    },
  };
}

const pets = { owner: 'acme', name: 'pets' };

const pullRequest = onGithub('pull request', async ({ world, github }) => {
  const installation = await github.addInstallation({ account: 'acme' });
  const repository = await github.addRepository(installation, pets);
  await repository.commit(
    { 'ame.yaml': one.replace('push', 'pull_request') },
    { branch: 'main', message: 'before' },
  );
  const { after } = await repository.commit({ 'data.csv': '1\n' }, { branch: 'topic', message: 'after' });
  await world.during(github.openPullRequest(repository, { head: 'topic', base: 'main' }));
  await world.until(() => isStill(world, 1, pets));
  const told = github
    .checkRuns(repository)
    .filter(({ headSha }) => headSha === after)
    .map(({ name, conclusion }) => `github ${name}: ${conclusion ?? '-'}`);
  return [...(await endOf(world, pets)), ...told.toSorted()];
});

const removed = onGithub('repository removed', async ({ world, github }) => {
  const installation = await github.addInstallation({ account: 'acme' });
  const repository = await github.addRepository(installation, pets);
  await world.during(github.push(repository, { 'ame.yaml': long('allow') }));
  await world.until(async () => {
    const [run] = await world.ame().read.runs(pets);
    return run !== undefined && (await world.ame().read.attempts(run)).some((row) => row.state === 'running');
  });
  await world.during(github.deleteRepository(repository));
  await world.until(async () => (await world.ame().read.runs(pets)).every((run) => run.finishedAt !== null));
  return (await endOf(world, pets)).map((line) => line.replace(/"(begun\\n)?"/, 'log'));
});

export const journeys: readonly Journey[] = [
  push,
  pipeline,
  brokenFile,
  cancelled,
  forcePush,
  tick,
  pullRequest,
  removed,
  bucket,
  cluster,
];
