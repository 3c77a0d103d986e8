import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { startServer } from '../src/main.ts';
import { createFakeGithub } from '../test/fakes/github.ts';
import type { FakeRequest } from '../test/fakes/github/world.ts';
import type { Figures } from './figures.ts';

const file = (more: string, on = '{push: {paths: ["src/**"]}}'): string =>
  `projectname: bench\non: ${on}\ntasks:\n  main:\n    runcommand: sleep 1\n${more}`;

/** Where a pull request is open, GitHub tells of a push twice, in no certain order: of each, the dearer order. */
const aims = {
  irrelevantPush: 1,
  pushUntilInProgress: 5,
  pushInItsLife: 8,
  file150Problems: 4,
  irrelevantPushWithPullRequest: 2,
  pushWithPullRequestUntilInProgress: 5,
  pushWithPullRequestInItsLife: 8,
  pathsWithPullRequestUntilInProgress: 5,
  pathsWithPullRequestInItsLife: 8,
  pullRequestAloneUntilInProgress: 5,
  pullRequestAloneInItsLife: 8,
} as const;

/** By what the file of a branch with an open pull request says; `null`: it has none. */
const ons = {
  irrelevant: null,
  both: '[push, pull_request]',
  paths: '{push: {paths: ["src/**"]}, pull_request: {paths: ["src/**"]}}',
  alone: '{pull_request: {paths: ["src/**"]}}',
} as const;

/** Requests of GitHub's API that a push costs, counted by the fake that the journeys use; exchanges of tokens apart. */
export async function benchGithubCalls(): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  await using github = await createFakeGithub({ enterprise: true });
  const config = {
    ...readConfig(),
    port: 0,
    databaseUrl: null,
    githubApp: github.app,
    githubUrl: github.webUrl,
    webhookSecrets: [github.app.webhookSecret],
  };
  const installation = await github.addInstallation({ account: 'bench' });
  const repository = await github.addRepository(installation, { owner: 'bench', name: 'bench' });
  await repository.commit({ 'README.md': '' }, { branch: 'main', message: 'before' });
  const server = await startServer(config, join(directory, 'data'), createLog('error'));
  try {
    await quiet();
    github.hookUrl = `${server.address}/webhooks/github`;
    const irrelevant = await cost({ 'README.md': 'nothing' });
    const whole = await cost({ 'ame.yaml': file(''), 'src/train.py': '1' });
    const wrong = Array.from({ length: 150 }, (_, at) => `    wrong_${at}: 1\n`).join('');
    const annotated = await cost({ 'ame.yaml': file(wrong) });
    const irrelevantTwice = await costTwice(ons.irrelevant);
    const both = await costTwice(ons.both);
    const paths = await costTwice(ons.paths);
    const alone = await costTwice(ons.alone);
    const figures = {
      irrelevantPush: irrelevant.length,
      pushUntilInProgress: untilInProgress(whole),
      pushInItsLife: whole.length,
      // Two for what any file costs, and one for each further fifty.
      file150Problems: annotated.length,
      irrelevantPushWithPullRequest: dearest(irrelevantTwice, inAll),
      pushWithPullRequestUntilInProgress: dearest(both, untilInProgress),
      pushWithPullRequestInItsLife: dearest(both, inAll),
      pathsWithPullRequestUntilInProgress: dearest(paths, untilInProgress),
      pathsWithPullRequestInItsLife: dearest(paths, inAll),
      pullRequestAloneUntilInProgress: dearest(alone, untilInProgress),
      pullRequestAloneInItsLife: dearest(alone, inAll),
    };
    const names = Object.keys(aims) as (keyof typeof aims)[];
    return {
      name: 'github-calls',
      figures,
      aims: Object.fromEntries(names.map((name) => [name, `<= ${aims[name]}`])),
      met: names.every((name) => figures[name] >= 1 && figures[name] <= aims[name]),
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }

  function cost(files: Readonly<Record<string, string>>): Promise<readonly FakeRequest[]> {
    return asked(() => github.push(repository, files));
  }

  /** What a push to a branch with an open pull request costs, heard of as a push first, and as a pull request first. */
  async function costTwice(on: string | null): Promise<readonly (readonly FakeRequest[])[]> {
    const name = `pulled-${github.world.repositories.length}`;
    const pulled = await github.addRepository(installation, { owner: 'bench', name });
    const files = { 'src/train.py': '1', ...(on === null ? {} : { 'ame.yaml': file('', on) }) };
    await pulled.commit(files, { branch: 'main', message: 'before' });
    await pulled.commit({ 'README.md': '' }, { branch: 'topic', message: 'topic' });
    const pull = await github.openPullRequest(pulled, { head: 'topic', base: 'main' });
    await quiet();
    const costs: (readonly FakeRequest[])[] = [];
    for (const pushFirst of [true, false]) {
      const content = { 'src/train.py': String(pushFirst) };
      const head = await pulled.commit(content, { branch: 'topic', message: 'more' });
      const tell = [() => github.deliverPush(pulled, head), () => github.updatePullRequest(pull, {})];
      costs.push(
        await asked(async () => {
          for (const one of pushFirst ? tell : tell.toReversed()) await one();
        }),
      );
    }
    return costs;
  }

  async function asked(work: () => Promise<unknown>): Promise<readonly FakeRequest[]> {
    const before = github.requests.length;
    await work();
    await quiet();
    return github.requests
      .slice(before)
      .filter(
        ({ tokenExchange, notModified, path }) => !tokenExchange && !notModified && !path.includes('.git/'),
      );
  }

  /** Until nothing was asked for three seconds: longer than the task, and than any pause between two words of a check. */
  async function quiet(): Promise<void> {
    for (let seen = -1, still = 0; still < 6;) {
      still = seen === github.requests.length ? still + 1 : 0;
      seen = github.requests.length;
      await sleep(500);
    }
  }
}

function saysInProgress({ body }: FakeRequest): boolean {
  return JSON.stringify(body ?? null).includes('"in_progress"');
}

function untilInProgress(asked: readonly FakeRequest[]): number {
  return asked.findIndex(saysInProgress) + 1;
}

function inAll(asked: readonly FakeRequest[]): number {
  return asked.length;
}

function dearest(
  costs: readonly (readonly FakeRequest[])[],
  of: (asked: readonly FakeRequest[]) => number,
): number {
  return Math.max(...costs.map(of));
}
