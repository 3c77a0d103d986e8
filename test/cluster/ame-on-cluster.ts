import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, type Env } from '../../src/config.ts';
import { isDatabaseAway } from '../../src/db/connect.ts';
import { createLog } from '../../src/log.ts';
import { cloneAddress, startServer, type Server } from '../../src/main.ts';
import { createTestDatabase } from '../database.ts';
import { openEars, watch } from '../journeys/ears.ts';
import { createClone } from '../journeys/pusher.ts';
import { createReader } from '../journeys/reader.ts';
import type { Stage } from '../journeys/workspace-stories.ts';
import type { Cluster } from './cluster.ts';

/** A whole server in this process whose attempts run on the cluster; its loops run by themselves. */
export type ClusterAme = Stage & {
  readonly server: Server;
  /** Waits until no attempt runs or is to be started. */
  settle(): Promise<void>;
  /** Looks at each word of the database until `look` answers. */
  watch<T>(look: () => Promise<T | undefined>): Promise<T>;
};

/** The configuration of a server on the cluster: what tasks are given that ask for nothing is small. */
export async function clusterEnv(cluster: Cluster): Promise<Env> {
  const { kubeconfig, image, taskImage, agentHost } = cluster.settings;
  const agentPort = await freePort();
  return {
    PATH: process.env['PATH'],
    PORT: '0',
    AME_GRACE: '2',
    AME_EXECUTOR: 'kubernetes',
    KUBECONFIG: kubeconfig,
    AME_K8S_NAMESPACE: cluster.namespace,
    AME_AGENT_PORT: String(agentPort),
    ...(agentHost === null ? {} : { AME_AGENT_URL: `http://${agentHost}:${agentPort}` }),
    ...(image === null ? {} : { AME_IMAGE: image }),
    AME_DEFAULT_IMAGE: taskImage,
    AME_DEFAULT_CPU: '100m',
    AME_DEFAULT_MEMORY: '128Mi',
    AME_DEFAULT_STORAGE: '256Mi',
    AME_MEMORY_CEILING: '1Gi',
  };
}

export async function startClusterAme(cluster: Cluster, env: Env = {}): Promise<ClusterAme> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-cluster-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const database = undo.use(await createTestDatabase());
  const config = parseConfig({ ...(await clusterEnv(cluster)), DATABASE_URL: database.url, ...env });
  const log = createLog(process.env['AME_TEST_LOG'] ?? 'silent');
  const server = await startServer(config, join(directory, 'data'), log);
  undo.defer(() => server.stop());
  const read = createReader(server.context);
  let repositories = 0;
  const owned = undo.move();

  /** With ears of its own: stories run side by side, and a word that one hears is not to be missed by another. */
  async function watchAlone<T>(look: () => Promise<T | undefined>): Promise<T> {
    const ears = await openEars(database.url);
    try {
      return await watch(ears, () => patiently(look));
    } finally {
      await ears.close();
    }
  }

  return {
    server,
    read,
    watch: watchAlone,
    ended: (repository) =>
      watchAlone(async () => {
        // The decision of a push may come after its answer, on a machine that is busy.
        const run = (await read.runs(repository)).at(-1);
        return run?.finishedAt ? run : undefined;
      }),
    async settle() {
      await watchAlone(async () => ((await read.active()) === 0 ? true : undefined));
    },
    async repository() {
      const [owner, name] = ['team', `work-${(repositories += 1)}`];
      const url = cloneAddress(server, owner, name);
      const clone = await createClone(join(directory, 'clones', name), url, (push) => push);
      return {
        ...clone,
        owner,
        name,
        async push(files, options) {
          const pushed = await clone.push(files, options);
          // What a busy machine makes AME say, and what it asks people to do then.
          return pushed.text.includes('cannot reach its database') ? clone.push(undefined, options) : pushed;
        },
      };
    },
    async api(method, path, body) {
      const response = await fetch(`${server.address}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Asks again where the database gave no answer in time: pods, AME and tests share the cores of one machine. */
async function patiently<T>(look: () => Promise<T>): Promise<T> {
  for (let left = 5; ; left -= 1) {
    try {
      return await look();
    } catch (error) {
      if (left === 0 || !isDatabaseAway(error)) throw error;
    }
  }
}

/** A port that nothing listened on a moment ago: pods are told it before the server listens there. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
