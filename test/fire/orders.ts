import { sql } from 'drizzle-orm';
import { createRandom } from '../random.ts';
import { createFakeGithub } from '../fakes/github.ts';
import { redeliver } from '../fakes/github/deliver.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeDelivery } from '../fakes/github/world.ts';
import { createAme, createClock, type Ame, type Clock } from '../journeys/harness.ts';

/** An order of the eight deliveries, as places from 0, and the end that it came to. */
export type OrderedEnd = { readonly order: readonly number[]; readonly end: readonly string[] };

const moved = 'refs/heads/topic had moved on before this push was looked at.';
const run = (letter: string, end: string): string => `commit:${letter}:refs/heads/topic:main ${end}`;

/** What every order of the eight comes to: commits a, b, c (whose file is broken) and d, which stays. */
export const endOfOrders: Readonly<Record<'allow' | 'queue' | 'cancel', readonly string[]>> = {
  allow: endWhere('success', 'succeeded -'),
  queue: endWhere('cancelled', `cancelled ${moved}`),
  cancel: endWhere('cancelled', `cancelled ${moved}`),
};

/** How the check and the run of those end that were pushed over. */
function endWhere(conclusion: string, end: string): readonly string[] {
  return [
    `a ame / main: ${conclusion}`,
    'a ame.yaml: success',
    `b ame / main: ${conclusion}`,
    'b ame.yaml: success',
    'c ame.yaml: failure',
    run('a', end),
    run('b', end),
    run('d', 'succeeded -'),
    'd ame / main: success',
    'd ame.yaml: success',
  ];
}

/** The history that every repository has: what was said of it, told to nobody yet, and a letter for each commit. */
type Told = {
  readonly repository: FakeRepository;
  readonly said: readonly FakeDelivery[];
  readonly letters: ReadonlyMap<string, string>;
};

/** Nobody listens there, so that GitHub notes what it had to say and nobody hears it. */
const nowhere = 'http://127.0.0.1:1/';

function file(busy: string, n: number): string {
  const broken = n === 2 ? 'tasks: [broken' : 'tasks: {main: "true"}';
  return `projectname: orders\non: [push, pull_request]\nconcurrency: {when_busy: ${busy}}\n${broken}\n# ${n}\n`;
}

/**
 * Tells two workers on one database of as many repositories as orders are wanted: create, push, push, force push, delete,
 * pull request, and two of them twice, each repository in another order, all at once. The branch is made again
 * after it was deleted, so that one of its commits is to run.
 */
export async function playOrders(
  count: number,
  seed: number,
  busy: 'allow' | 'queue' | 'cancel',
): Promise<readonly OrderedEnd[]> {
  const random = createRandom(seed);
  const clock = createClock();
  await using github = await createFakeGithub({ enterprise: true, now: () => clock.now() });
  const env = {
    AME_GITHUB_APP_ID: github.app.id,
    AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
    AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
    AME_GITHUB_URL: github.webUrl,
  };
  await using here = await createAme({ env, clock });
  await using there = await createAme({ beside: here, clock, env: { ...env, AME_HOST_NAME: 'there' } });
  const workers = [here, there] as const;
  github.hookUrl = `${here.address}/webhooks/github`;
  const installation = await github.addInstallation({ account: 'acme' });
  const repositories: FakeRepository[] = [];
  for (let at = 0; at < count; at += 1)
    repositories.push(await github.addRepository(installation, { owner: 'acme', name: `orders-${at}` }));
  await settle(workers, clock);
  github.hookUrl = nowhere;
  const told: Told[] = [];
  for (const repository of repositories) told.push(await makeHistory(repository));

  const orders = told.map(({ said }) => shuffled(said.length, random));
  for (let turn = 0; turn < 8; turn += 1) {
    for (const [at, { said }] of told.entries()) {
      const delivery = said[orders[at]?.[turn] ?? 0];
      github.hookUrl = `${random.pick(workers).address}/webhooks/github`;
      if (delivery) await redeliver(github.world, delivery);
    }
    // Whoever is quick decides before the next is heard of.
    if (random.chance(0.5)) await Promise.all(workers.map((worker) => worker.loops.deliveries.once()));
  }
  await settle(workers, clock);
  const ends: OrderedEnd[] = [];
  for (const [at, one] of told.entries()) ends.push({ order: orders[at] ?? [], end: await endOf(here, one) });
  return ends;

  async function makeHistory(repository: FakeRepository): Promise<Told> {
    const before = github.deliveries.length;
    const letters = new Map<string, string>();
    const commit = async (n: number, force = false): Promise<void> => {
      const { after } = await github.push(
        repository,
        { 'ame.yaml': file(busy, n) },
        { branch: 'topic', message: `commit ${n}`, force },
      );
      letters.set(after, 'abcde'[n] ?? '?');
    };
    await repository.commit({ 'README.md': 'orders\n' }, { branch: 'main', message: 'before' });
    await commit(0);
    await commit(1);
    await github.deliverPush(repository, await repository.deleteRef('refs/heads/topic'));
    await commit(2);
    await commit(3, true);
    await github.openPullRequest(repository, { head: 'topic', base: 'main' });
    const said = github.deliveries.slice(before);
    const [, second, , , fifth] = said;
    if (said.length !== 6 || !second || !fifth) throw new Error(`${said.length} deliveries were made`);
    return { repository, said: [...said, second, fifth], letters };
  }
}

function shuffled(length: number, random: ReturnType<typeof createRandom>): readonly number[] {
  const left = Array.from({ length }, (_, at) => at);
  return Array.from({ length }, () => left.splice(random.below(left.length), 1)[0] ?? 0);
}

/** Rounds of the clock, far more than what waits for it needs. */
const mostRounds = 40;

/** Both workers step side by side until everything is decided, over and told. */
async function settle(workers: readonly [Ame, ...Ame[]], clock: Clock): Promise<void> {
  const { db } = workers[0].ctx;
  for (let round = 0; ; round += 1) {
    await Promise.all(workers.map((worker) => worker.settle()));
    const { rows } = await db.orm.execute<{ open: number; errors: string | null }>(sql`
      select count(*)::int as open, string_agg(error, ', ') as errors from (
        select last_error as error from runs where finished_at is null
        union all select last_error from deliveries where decided_at is null
        union all select last_error from checks where said is distinct from says) as open`);
    const [left] = rows;
    if (left?.open === 0) return;
    if (round > mostRounds) throw new Error(`${left?.open ?? '?'} rows are not over: ${left?.errors ?? ''}`);
    clock.advance(15);
  }
}

async function endOf(ame: Ame, { repository, letters }: Told): Promise<readonly string[]> {
  const named = (text: string): string =>
    [...letters].reduce((said, [sha, letter]) => said.replaceAll(sha, letter), text);
  const runs = await ame.read.runs({ owner: 'acme', name: repository.name });
  return [
    ...runs.map((run) => named(`${run.causeKey} ${run.state} ${run.reason ?? '-'}`)),
    ...repository.checkRuns.map(({ headSha, name, conclusion }) =>
      named(`${headSha} ${name}: ${conclusion ?? 'not over'}`),
    ),
  ].toSorted();
}
