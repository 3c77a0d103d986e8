import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRandom } from '../random.ts';
import { createFakeGithub } from '../fakes/github.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import { query } from '../database.ts';
import { startChildServer, type ChildServer } from '../journeys/child-server.ts';
import { askDatabase } from './ask-database.ts';
import { makePush, makeRepositories, send, type Push } from './stream.ts';

const said = (name: string, otherwise: number): number =>
  Number(process.env[`AME_FIRE_${name}`] ?? otherwise);
const seed = said('SEED', Date.now() % 1_000_000);
const wanted = {
  deliveries: said('DELIVERIES', 10_000),
  kills: said('KILLS', 100),
  cuts: said('CUTS', 20),
  postgresKills: said('POSTGRES_KILLS', 5),
};
/** Of sending; then the same again at most for what is left to do. */
const minutes = said('MINUTES', 60);
/** Deliveries sent again, of those sent: of thirteen ten are new. */
const often = 0.43;

/** The first process of the Postgres in a data directory. */
async function postmasterOf(directory: string): Promise<number> {
  const folder = (await readdir(directory)).find((name) => name.startsWith('postgres')) ?? '';
  return Number((await readFile(join(directory, folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

test(`a server killed, cut off and bereft of its database under a stream of deliveries, seed ${seed}`, async () => {
  const random = createRandom(seed);
  const directory = await mkdtemp(join(tmpdir(), 'ame-chaos-'));
  await using github = await createFakeGithub({ enterprise: true });
  const data = join(directory, 'data');
  const env = {
    AME_GITHUB_APP_ID: github.app.id,
    AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
    AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
    AME_GITHUB_URL: github.webUrl,
  };
  const counted = { sent: 0, kills: 0, cuts: 0, postgresKills: 0 };
  let server: ChildServer = await start();

  async function start(): Promise<ChildServer> {
    const begun = await startChildServer(data, env);
    github.hookUrl = `${begun.address}/webhooks/github`;
    return begun;
  }
  // What GitHub lets one installation ask in an hour is used up after three thousand pushes (measured), and the rest
  // then waits for the next hour, as it should.
  const repositories: FakeRepository[] = [];
  for (let at = 0; at < 10; at += 1) {
    const account = `account-${at}`;
    const installation = await github.addInstallation({ account });
    repositories.push(...(await makeRepositories(github, installation, 1, account)));
  }
  const pushes: Push[] = [];

  const harms = {
    async kills(): Promise<void> {
      await server.kill();
      server = await start();
    },
    async cuts(): Promise<void> {
      const own = `application_name in ('ame', 'ame-worker')`;
      const cut = `select pg_terminate_backend(pid) from pg_stat_activity where ${own}`;
      // While Postgres itself is away there is nothing to cut.
      await query(server.databaseUrl, cut).catch(() => {});
    },
    async postgresKills(): Promise<void> {
      process.kill(await postmasterOf(data), 'SIGKILL');
    },
  };
  const kinds = ['kills', 'cuts', 'postgresKills'] as const;
  /** Which delivery each of them comes with. */
  const moments = kinds
    .flatMap((kind) =>
      Array.from({ length: wanted[kind] }, () => ({ kind, at: random.below(wanted.deliveries) })),
    )
    .toSorted((one, other) => one.at - other.at);

  async function harm(): Promise<void> {
    for (let next = moments[0]; next !== undefined && next.at <= counted.sent; next = moments[0]) {
      moments.shift();
      counted[next.kind] += 1;
      await harms[next.kind]();
    }
  }

  const until = performance.now() + minutes * 60_000;
  while (counted.sent < wanted.deliveries && performance.now() < until) {
    const push = await makePush(github, repositories, pushes.length, github.hookUrl ?? '');
    // Killed in the middle of an answer as well as between two.
    const [sent] = await Promise.all([send(github, push, pushes, { random, often }), harm()]);
    counted.sent += sent;
    pushes.push(push);
  }

  // What was not taken GitHub lists as failed, and people and AME itself have it sent again.
  const patience = performance.now() + minutes * 60_000;
  for (;;) {
    for (const push of pushes) if (!push.isTaken) await send(github, push, [], { random, often: 0 });
    const [left] = await askDatabase<{ open: number }>(
      server.databaseUrl,
      `select ((select count(*) from deliveries where decided_at is null)
        + (select count(*) from runs where finished_at is null)
        + (select count(*) from checks where said is distinct from says))::int as open`,
    ).catch(() => [{ open: -1 }]);
    if (left?.open === 0 && pushes.every(({ isTaken }) => isTaken)) break;
    if (performance.now() > patience) throw new Error(`${left?.open ?? '?'} rows are not over, seed ${seed}`);
    await delay(500);
  }

  const stored = await askDatabase<{ id: string }>(
    server.databaseUrl,
    'select id from deliveries where decided_at is not null',
  );
  const decided = new Set(stored.map(({ id }) => id));
  const runs = await askDatabase<{ commit: string; state: string }>(
    server.databaseUrl,
    'select commit, state from runs',
  );
  const states = Map.groupBy(runs, (run) => run.commit);
  const wrong: string[] = [];
  for (const { repository, commit, runs: isToRun, delivery } of pushes) {
    if (!decided.has(delivery.guid)) wrong.push(`${commit} was taken and has no decision`);
    const found = (states.get(commit) ?? []).map(({ state }) => state).join();
    if (found !== (isToRun ? 'succeeded' : '')) wrong.push(`${commit} has the runs ${found}`);
    const told = repository.checkRuns.filter(({ headSha }) => headSha === commit);
    const names = told
      .map(({ name, conclusion }) => `${name}: ${conclusion ?? 'not over'}`)
      .toSorted()
      .join();
    if (names !== (isToRun ? 'ame / main: success,ame.yaml: success' : 'ame.yaml: neutral'))
      wrong.push(`${commit} was told ${names}`);
  }
  console.log(
    `seed ${seed}: ${counted.sent} deliveries of ${pushes.length} pushes, ${runs.length} runs; ` +
      `${counted.kills} kills, ${counted.cuts} cuts, ${counted.postgresKills} kills of Postgres`,
  );
  await server.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  expect(wrong).toEqual([]);
});
