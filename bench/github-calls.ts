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

const file = (more: string): string =>
  `projectname: bench\non: {push: {paths: ["src/**"]}}\ntasks:\n  main:\n    runcommand: sleep 1\n${more}`;

const aims = { irrelevantPush: 1, pushUntilInProgress: 5, pushInItsLife: 8, file150Problems: 4 } as const;

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
    const figures = {
      irrelevantPush: irrelevant.length,
      pushUntilInProgress: whole.findIndex(saysInProgress) + 1,
      pushInItsLife: whole.length,
      // Two for what any file costs, and one for each further fifty.
      file150Problems: annotated.length,
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

  async function cost(files: Readonly<Record<string, string>>): Promise<readonly FakeRequest[]> {
    const before = github.requests.length;
    await github.push(repository, files);
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
