import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Env } from '../../src/config.ts';
import { clusterEnv } from '../cluster/ame-on-cluster.ts';
import { createApiRelay } from '../cluster/api-relay.ts';
import { openCluster } from '../cluster/cluster.ts';
import { createFakeGithub } from '../fakes/github.ts';
import { startChildServer } from '../journeys/child-server.ts';
import { createRandom } from '../random.ts';
import { askDatabase } from './ask-database.ts';
import { createFakeAgents } from './fake-agents.ts';
import { makePush, makeRepositories, send, type Push } from './stream.ts';

/**
 * A server whose attempts are Jobs, killed again and again: each push has exactly its run, each run its end, each
 * attempt one Job, and no Job is left. On nodes that run nothing, by AME_K8S_NODE_SELECTOR, AME_K8S_TOLERATIONS and
 * AME_K8S_ANNOTATIONS, this test speaks as the agents; on real ones they speak for themselves.
 */
const said = (name: string, otherwise: number): number =>
  Number(process.env[`AME_FIRE_${name}`] ?? otherwise);
const seed = said('SEED', Date.now() % 1_000_000);
const { KUBECONFIG, AME_K8S_NODE_SELECTOR, AME_K8S_TOLERATIONS, AME_K8S_ANNOTATIONS } = process.env;
/** Of deliveries, one in so many is an earlier one sent again. */
const often = 0.3;
/** Of every eight pushes of the stream the first one runs something: here all are such. */
const stride = 8;
const minutes = said('MINUTES', 60);

const fakeNodes: Env = {
  AME_K8S_NODE_SELECTOR,
  AME_K8S_TOLERATIONS,
  AME_K8S_ANNOTATIONS,
  // Which nobody pulls: requests are small, so that many fit.
  AME_DEFAULT_CPU: '10m',
  AME_DEFAULT_MEMORY: '16Mi',
};

const lanes = [
  {
    nodes: 'that run nothing',
    deliveries: said('JOBS', 300),
    kills: said('JOB_KILLS', 15),
    env: fakeNodes,
    cannot: !KUBECONFIG || !AME_K8S_NODE_SELECTOR,
    needs: 'KUBECONFIG and AME_K8S_NODE_SELECTOR, of nodes that run nothing',
  },
  {
    nodes: 'that run pods',
    deliveries: said('REAL_JOBS', 30),
    kills: said('REAL_JOB_KILLS', 5),
    env: {},
    cannot: !KUBECONFIG,
    needs: 'KUBECONFIG',
  },
];

for (const { nodes, deliveries, kills, env, cannot, needs } of lanes) {
  if (cannot) console.log(`skipped: Jobs on nodes ${nodes}, because ${needs} must be set`);
  test.skipIf(cannot)(`Jobs on nodes ${nodes}, seed ${seed}`, async () => {
    const random = createRandom(seed);
    await using undo = new AsyncDisposableStack();
    const cluster = undo.use(await openCluster());
    const directory = await mkdtemp(join(tmpdir(), 'ame-jobs-'));
    undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const github = undo.use(await createFakeGithub({ enterprise: true }));
    const api = undo.use(await createApiRelay(cluster.config, join(directory, 'kubeconfig')));
    const given: Env = {
      ...(await clusterEnv(cluster)),
      KUBECONFIG: api.kubeconfig,
      AME_DEFAULT_IMAGE: cluster.settings.smallImage,
      ...env,
      AME_GITHUB_APP_ID: github.app.id,
      AME_GITHUB_PRIVATE_KEY: github.app.privateKey,
      AME_GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
      AME_GITHUB_URL: github.webUrl,
    };
    const isFake = env === fakeNodes;
    const agents = createFakeAgents(cluster, `http://127.0.0.1:${given['AME_AGENT_PORT']}`);
    undo.defer(() => agents.stop());
    const watching = new AbortController();
    const watched = cluster.pods((pods) => {
      if (isFake) agents.look(pods);
      return watching.signal.aborted ? true : undefined;
    });

    const start = async () => {
      const begun = await startChildServer(join(directory, 'data'), given);
      github.hookUrl = `${begun.address}/webhooks/github`;
      return begun;
    };
    let server = await start();
    undo.defer(() => server.stop());
    const installation = await github.addInstallation({ account: 'acme' });
    const repositories = await makeRepositories(github, installation, 10);
    const pushes: Push[] = [];
    const counted = { sent: 0, kills: 0 };
    const moments = Array.from({ length: kills }, () => random.below(deliveries)).toSorted((a, b) => a - b);

    async function harm(): Promise<void> {
      while (moments[0] !== undefined && moments[0] <= counted.sent) {
        moments.shift();
        counted.kills += 1;
        // Between two deliveries Jobs are made, run and are cleared away: killed in the middle of that.
        await delay(random.below(1_500));
        await server.kill();
        server = await start();
      }
    }

    while (counted.sent < deliveries) {
      const push = await makePush(github, repositories, pushes.length * stride, github.hookUrl ?? '');
      const [sent] = await Promise.all([send(github, push, pushes, { random, often }), harm()]);
      counted.sent += sent;
      pushes.push(push);
    }
    const patience = performance.now() + minutes * 60_000;
    for (;;) {
      for (const push of pushes) if (!push.isTaken) await send(github, push, [], { random, often: 0 });
      const open = await countOpen(server.databaseUrl);
      if (open === 0 && pushes.every(({ isTaken }) => isTaken)) break;
      if (performance.now() > patience) throw new Error(`${open} rows are not over, seed ${seed}`);
      await delay(500);
    }
    // What a kill left is cleared away by the server that started last, within a minute of each run's end.
    await cluster.jobs((jobs) => (jobs.length === 0 ? true : undefined));
    await cluster.pods((pods) => (pods.length === 0 ? true : undefined));

    const rows = await askDatabase<{
      project: string;
      commit: string;
      ref: string;
      state: string;
      attempts: number[];
      classes: string[];
    }>(
      server.databaseUrl,
      `select r.project_id as project, r.commit, r.ref, r.state, array_agg(a.id::int) as attempts, array_agg(a.class::text) as classes
        from runs r join attempts a on a.run_id = r.id group by r.id`,
    );
    const byCommit = Map.groupBy(rows, ({ commit }) => commit);
    const wrong = pushes.flatMap(({ commit, repository }) => {
      const own = byCommit.get(commit) ?? [];
      const found = own.map(({ state, classes }) => `${state} (${classes.join()})`).join(', ');
      const told = repository.checkRuns.filter(({ headSha }) => headSha === commit);
      const conclusions = told.map(({ name, conclusion }) => `${name}: ${conclusion ?? 'not over'}`);
      const isRight = conclusions.toSorted().join() === 'ame / main: success,ame.yaml: success';
      return [
        ...(found === 'succeeded (succeeded)' ? [] : [`${commit} has the runs ${found}`]),
        ...(isRight ? [] : [`${commit} was told ${conclusions.join()}`]),
      ];
    });
    const made = api.asked.filter(
      ({ method, resource, status }) => method === 'POST' && resource === 'jobs' && status === 201,
    );
    const writes = api.asked.filter(
      ({ method, status }) => method !== 'GET' && status >= 200 && status < 300,
    );
    console.log(
      `seed ${seed}: ${counted.sent} deliveries of ${pushes.length} pushes, ${counted.kills} kills; ${rows.length} runs, ` +
        `${made.length} Jobs made, ${writes.length} writes, ${api.asked.length} questions; none left`,
    );
    watching.abort();
    // Its watch ends by itself within half a minute; nobody waits for it.
    watched.catch(() => {});
    expect(wrong).toEqual([]);
    const pushed = new Set(pushes.map(({ commit }) => commit));
    // Nobody told of the first commits of default branches; a server that was down may find them by itself, once each.
    const found = rows.filter(({ commit }) => !pushed.has(commit));
    expect(found.map(({ ref, state }) => `${ref} ${state}`)).toEqual(
      found.map(() => 'refs/heads/main succeeded'),
    );
    // First commits that were made within one second have one name in all repositories.
    expect(new Set(rows.map(({ project, commit }) => `${project} ${commit}`)).size).toBe(rows.length);
    const names = rows.flatMap(({ attempts }) => attempts.map((id) => `ame-attempt-${id}`));
    expect(made.map(({ name }) => name ?? '').toSorted()).toEqual(names.toSorted());
    expect(writes.length).toBeLessThanOrEqual(3 * made.length);
  });
}

/** -1 where the database does not answer, for the server is on its way up. */
async function countOpen(url: string): Promise<number> {
  const [left] = await askDatabase<{ open: number }>(
    url,
    `select ((select count(*) from deliveries where decided_at is null)
      + (select count(*) from runs where finished_at is null)
      + (select count(*) from checks where said is distinct from says))::int as open`,
  ).catch(() => []);
  return left?.open ?? -1;
}
