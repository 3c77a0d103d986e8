import { BatchV1Api, CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { pushFile } from './push-fan.ts';
import { startReplica } from './replica.ts';

const tasks = 20;

/**
 * On nodes that run something: milliseconds from the end of one task's command to the start of the next one's, in a
 * pipeline of twenty; and, for comparison in the same run, from the create of a bare Job of the same image to its command.
 */
export async function measureRealPods(config: KubeConfig, namespace: string, image: string) {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const plain = { AME_K8S_NODE_SELECTOR: '', AME_K8S_TOLERATIONS: '', AME_K8S_ANNOTATIONS: '' };
  const replica = await startReplica(join(directory, 'data'), namespace, {
    ...plain,
    AME_DEFAULT_IMAGE: image,
    AME_DEFAULT_CPU: '100m',
    AME_DEFAULT_MEMORY: '128Mi',
  });
  const pool = new Pool({ connectionString: replica.databaseUrl, max: 1 });
  try {
    const names = Array.from({ length: tasks }, (_, at) => `    n${at}: "true"\n`).join('');
    const file = `projectname: chain\non: push\ntasks:\n  main:\n   pipeline:\n${names}`;
    await pushFile(join(directory, 'clone'), replica.cloneUrl('chain'), file);
    await untilDone(pool);
    const { rows } = await pool.query<{ ended: Date; started: Date }>(
      'select ended_at as ended, started_at as started from attempts order by position',
    );
    const between = rows
      .slice(1)
      .map(({ started }, at) => started.getTime() - (rows[at]?.ended.getTime() ?? Number.NaN));
    const bare: number[] = [];
    for (let at = 0; at < 10; at += 1) bare.push(await timeBare(config, namespace, image, `bare-${at}`));
    return { between, bare };
  } finally {
    await pool.end();
    await replica[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }
}

async function untilDone(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ state: string; reason: string | null; finished_at: Date | null }>(
      'select state, reason, finished_at from runs',
    );
    const [run] = rows;
    if (run?.finished_at) {
      if (run.state !== 'succeeded') throw new Error(`the chain is ${run.state}: ${run.reason}`);
      return;
    }
    await sleep(500);
  }
}

/** Milliseconds until the command of a Job says what time it is, on the nodes' clock, which is this machine's here. */
async function timeBare(config: KubeConfig, namespace: string, image: string, name: string): Promise<number> {
  const batch = config.makeApiClient(BatchV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const resources = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } };
  const from = Date.now();
  await batch.createNamespacedJob({
    namespace,
    body: {
      metadata: { name },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            automountServiceAccountToken: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1_000,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              { name: 'task', image, command: ['date', '+%s%3N'], securityContext: hardened, resources },
            ],
          },
        },
      },
    },
  });
  for (;;) {
    const { status } = await batch.readNamespacedJob({ namespace, name });
    if (status?.succeeded === 1) break;
    await sleep(200);
  }
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: `job-name=${name}` });
  const pod = items[0]?.metadata?.name ?? '';
  return Number(await core.readNamespacedPodLog({ namespace, name: pod })) - from;
}
