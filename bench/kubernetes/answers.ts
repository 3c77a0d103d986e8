import type { KubeConfig } from '@kubernetes/client-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFakeGithub } from '../../test/fakes/github.ts';
import { sayEnded, sayStarted } from './agents.ts';
import { startReplica } from './replica.ts';
import { watchJobs } from './seen-jobs.ts';
import { openSlowWire } from './slow-wire.ts';

const pushes = 60;
const githubMs = 50;
/** How long a task runs here: longer than the first word of a check waits for a better one. */
const runningMs = 3_000;

/**
 * With a GitHub that answers in 50 ms: milliseconds from a push being sent to its Job being there, and from an attempt's
 * end being told to its check being done. On nodes that run nothing, as in `measureActive`.
 */
export async function measureAnswers(config: KubeConfig, namespace: string) {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  await using github = await createFakeGithub({ enterprise: true });
  await using wire = await openSlowWire(github.webUrl, githubMs);
  const installation = await github.addInstallation({ account: 'bench' });
  const repository = await github.addRepository(installation, { owner: 'bench', name: 'bench' });
  await repository.commit({ 'README.md': '' }, { branch: 'main', message: 'before' });
  using jobs = await watchJobs(config, namespace);
  await using replica = await startReplica(join(directory, 'data'), namespace, {
    AME_GITHUB_APP_ID: github.app.id,
    AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
    AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
    AME_GITHUB_URL: wire.url,
  });
  github.hookUrl = `${replica.address}/webhooks/github`;
  const created: number[] = [];
  const done: number[] = [];
  const file =
    'projectname: bench\non: push\ntasks:\n  main: {runcommand: "true", resources: {cpu: 1m, memory: 1Mi}}\n';
  try {
    for (let at = 0; at < pushes; at += 1) {
      const seen = jobs.next();
      const from = performance.now();
      const { after } = await github.push(
        repository,
        { 'ame.yaml': file, change: String(at) },
        { branch: 'main' },
      );
      const attempt = await seen;
      created.push((jobs.at.get(attempt) ?? 0) - from);
      await sayStarted(replica, [attempt]);
      await sleep(runningMs);
      const ended = performance.now();
      await sayEnded(replica, [attempt]);
      const isDone = (): boolean =>
        github
          .checkRuns(repository)
          .some(
            (check) => check.headSha === after && check.name !== 'ame.yaml' && check.conclusion === 'success',
          );
      while (!isDone()) await sleep(5);
      done.push(performance.now() - ended);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  // The first few find an installation that is not known yet, and no connection.
  return { created: created.slice(5), done: done.slice(5) };
}
