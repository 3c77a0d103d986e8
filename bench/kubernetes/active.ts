import { BatchV1Api, type KubeConfig, type V1Job } from '@kubernetes/client-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { sayEnded, sayStarted } from './agents.ts';
import { fanFile, pushFile } from './push-fan.ts';
import { startReplica } from './replica.ts';
import { watchJobs } from './seen-jobs.ts';

const steadySeconds = 30;
const thousands = 10;
const creators = 8;

/**
 * 10,000 attempts active in one replica, on nodes that run nothing (the environment's AME_K8S_… say which): how many Jobs
 * a second it creates beside plain creates of the same Job by eight clients, and its memory and CPU while all of them
 * run and while all of them end.
 */
export async function measureActive(config: KubeConfig, namespace: string) {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  using jobs = await watchJobs(config, namespace);
  const replica = await startReplica(join(directory, 'data'), namespace, {});
  const pool = new Pool({ connectionString: replica.databaseUrl, max: 1 });
  try {
    const file = fanFile(10, '{cpu: 1m, memory: 1Mi..1Mi, storage: 1Mi}');
    await pushFile(join(directory, 'clone-0'), replica.cloneUrl('fan-0'), file);
    await jobs.until(1_000);
    const moments = [...jobs.at.values()].toSorted((a, b) => a - b);
    const createdPerSecond = 999_000 / ((moments.at(-1) ?? 0) - (moments[0] ?? 0));
    const plainPerSecond = await createPlain(config, namespace);
    for (let at = 1; at < thousands; at += 1)
      await pushFile(join(directory, `clone-${at}`), replica.cloneUrl(`fan-${at}`), file);
    await jobs.until(thousands * 1_000);
    const attempts = [...jobs.at.keys()];
    await sayStarted(replica, attempts);
    await count(pool, "state = 'running'", thousands * 1_000);
    const before = replica.used();
    await sleep(steadySeconds * 1_000);
    const steady = replica.used();
    await sayEnded(replica, attempts);
    await count(pool, "state = 'succeeded'", thousands * 1_000);
    return {
      createdPerSecond: Math.round(createdPerSecond),
      plainPerSecond: Math.round(plainPerSecond),
      activeAttempts: attempts.length,
      steadyMib: Math.round(steady.rssMib),
      peakMib: Math.round(replica.used().peakMib),
      steadyCores: Math.round((100 * (steady.cpuSeconds - before.cpuSeconds)) / steadySeconds) / 100,
    };
  } finally {
    await pool.end();
    await replica[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The API server's own ceiling on this machine: copies of a Job of ours, under other names, a second. */
async function createPlain(config: KubeConfig, namespace: string): Promise<number> {
  const batch = config.makeApiClient(BatchV1Api);
  const { items } = await batch.listNamespacedJob({ namespace, limit: 1 });
  const [model] = items;
  if (model?.spec === undefined) throw new Error('there is no Job to copy');
  const { template } = model.spec;
  // Suspended, so that what is measured is the create and not the pod.
  const body = (name: string): V1Job => ({
    metadata: { name },
    spec: {
      backoffLimit: 0,
      suspend: true,
      template: { spec: structuredClone(template.spec ?? { containers: [] }) },
    },
  });
  const total = 500;
  const left = Array.from({ length: total }, (_, at) => `plain-${at}`);
  const from = performance.now();
  await Promise.all(
    Array.from({ length: creators }, async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop())
        await batch.createNamespacedJob({ namespace, body: body(name) });
    }),
  );
  return (total * 1_000) / (performance.now() - from);
}

/** Waits until so many attempts are so. */
async function count(pool: Pool, condition: string, wanted: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ there: number }>(
      `select count(*)::int as there from attempts where ${condition}`,
    );
    if ((rows[0]?.there ?? 0) >= wanted) return;
    await sleep(500);
  }
}
