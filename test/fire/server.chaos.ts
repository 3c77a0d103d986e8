import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRandom } from '../random.ts';
import { createFakeGithub } from '../fakes/github.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import { startChildServer, type ChildServer } from '../journeys/child-server.ts';
import { askDatabase } from './ask-database.ts';
import { busyRules, makePush, makeRepositories, send, type Push } from './stream.ts';

const said = (name: string, otherwise: number): number =>
  Number(process.env[`AME_FIRE_${name}`] ?? otherwise);
const seed = said('SEED', Date.now() % 1_000_000);
/** Of sending; then the same again at most for what is left to do. */
const minutes = said('MINUTES', 60);
/** A lane that is shortened is harmed as often in its time as the whole one, and in every way. */
const often = (times: number): number => Math.max(1, Math.round(times * Math.min(1, minutes / 60)));
const deliveries = said('DELIVERIES', 10_000);
const wanted = {
  kills: said('KILLS', often(100)),
  cuts: said('CUTS', often(20)),
  postgresKills: said('POSTGRES_KILLS', often(5)),
};
/** Deliveries sent again, of those sent: of thirteen ten are new. */
const again = 0.43;

/** One push in so many is to a branch that others are pushed to. */
const contendsOneIn = 5;

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
    repositories.push(
      ...(await makeRepositories(github, installation, 1, account, busyRules[at % busyRules.length])),
    );
  }
  const pushes: Push[] = [];

  /** Each says whether it came about. */
  const harms = {
    async kills(): Promise<boolean> {
      await server.kill();
      server = await start();
      return true;
    },
    async cuts(): Promise<boolean> {
      const own = `application_name in ('ame', 'ame-worker')`;
      const cut = `select pg_terminate_backend(pid) from pg_stat_activity where ${own}`;
      // While Postgres itself is away there is nothing to cut.
      const ended = await askDatabase(server.databaseUrl, cut).catch(() => []);
      return ended.length > 0;
    },
    async postgresKills(): Promise<boolean> {
      try {
        process.kill(await postmasterOf(data), 'SIGKILL');
        return true;
      } catch {
        // The one of before is only just being started again.
        return false;
      }
    },
  };
  const kinds = ['kills', 'cuts', 'postgresKills'] as const;
  /** When each of them comes, as a share of the time or of the deliveries, whichever is further: all over it. */
  const moments = kinds
    .flatMap((kind) =>
      Array.from({ length: wanted[kind] }, (_, at) => ({
        kind,
        at: (at + random.below(1_000) / 1_000) / wanted[kind],
      })),
    )
    .toSorted((one, other) => one.at - other.at);
  const began = performance.now();
  const progress = (): number =>
    Math.max(counted.sent / deliveries, (performance.now() - began) / (minutes * 60_000));

  async function harm(): Promise<void> {
    const next = moments[0];
    if (next === undefined || next.at > progress()) return;
    // One that did not come about is tried again with the next push.
    if (!(await harms[next.kind]())) return;
    moments.shift();
    counted[next.kind] += 1;
  }

  while (progress() < 1 || moments.length > 0) {
    if (performance.now() - began > 2 * minutes * 60_000)
      throw new Error(`${moments.length} harms did not come about, seed ${seed}`);
    const contends = pushes.length % contendsOneIn === 2;
    const push = await makePush(github, repositories, pushes.length, github.hookUrl ?? '', contends);
    // Killed in the middle of an answer as well as between two.
    const [sent] = await Promise.all([send(github, push, pushes, { random, often: again }), harm()]);
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
  const runs = await askDatabase<{ commit: string; cause: string; state: string }>(
    server.databaseUrl,
    `select commit, project_id || ' ' || cause_key as cause, state from runs`,
  );
  const states = Map.groupBy(runs, (run) => run.commit);
  const lastOf = new Map(pushes.filter(({ contends }) => contends).map((push) => [push.repository, push]));
  const wrong: string[] = [];
  let superseded = 0;
  for (const push of pushes) {
    const { repository, commit, runs: isToRun, delivery } = push;
    if (!decided.has(delivery.guid)) wrong.push(`${commit} was taken and has no decision`);
    const found = (states.get(commit) ?? []).map(({ state }) => state).join();
    const told = repository.checkRuns.filter(({ headSha }) => headSha === commit);
    const names = told
      .map(({ name, conclusion }) => `${name}: ${conclusion ?? 'not over'}`)
      .toSorted()
      .join();
    const end = `${found}; ${names}`;
    const ran = 'succeeded; ame / main: success,ame.yaml: success';
    // One that another push came after may have been over before it was looked at.
    const mayBeOver = push.contends && lastOf.get(repository) !== push;
    const over = 'cancelled; ame / main: cancelled,ame.yaml: success';
    if (mayBeOver && end === over) superseded += 1;
    else if (end !== (isToRun ? ran : '; ame.yaml: neutral')) wrong.push(`${commit} came to ${end}`);
  }
  console.log(
    `seed ${seed}: ${counted.sent} deliveries of ${pushes.length} pushes, ${runs.length} runs; ` +
      `${counted.kills} kills, ${counted.cuts} cuts, ${counted.postgresKills} kills of Postgres; ` +
      `${pushes.filter(({ contends }) => contends).length} pushes to ${lastOf.size} branches of others, ` +
      `${superseded} of them superseded`,
  );
  await server.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  expect(wrong).toEqual([]);
  // Causes of runs are never two: one run a commit and branch.
  expect(new Set(runs.map(({ cause }) => cause)).size).toBe(runs.length);
  expect(counted).toMatchObject(wanted);
  expect(superseded).toBeGreaterThan(0);
});
