import { KubeConfig } from '@kubernetes/client-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { freePort } from './ame-on-cluster.ts';
import { openCluster } from './cluster.ts';

const launcher = join(import.meta.dirname, '..', '..', 'src', 'cli', 'launch.mjs');

test('npm start with a kubeconfig runs the sample on its cluster; pods find the way to this machine by themselves', async () => {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await openCluster());
  const { image, taskImage } = cluster.settings;
  const folder = await mkdtemp(join(tmpdir(), 'ame-laptop-'));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  // Where attempts run is the namespace of the context, as `kubectl config set-context --current` sets it.
  const own = join(folder, 'kubeconfig');
  await writeFile(own, kubeconfigWith(cluster.namespace, cluster.config));
  const database = undo.use(await createTestDatabase());
  const child = spawn(process.execPath, [launcher, 'start'], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      AME_DATA: join(folder, 'data'),
      DATABASE_URL: database.url,
      PORT: '0',
      AME_AGENT_PORT: String(await freePort()),
      KUBECONFIG: own,
      AME_EXECUTOR: 'kubernetes',
      ...(image === null ? {} : { AME_IMAGE: image }),
      AME_DEFAULT_IMAGE: taskImage,
      // Less than the defaults: other tests have pods at the same time.
      AME_DEFAULT_CPU: '100m',
      AME_DEFAULT_MEMORY: '256Mi',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  undo.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  const said = text(child.stderr);
  let out = '';
  for await (const part of child.stdout.setEncoding('utf8')) {
    out += String(part);
    if (/Ctrl-C stops AME/.test(out)) break;
  }
  expect(out, await (out.includes('Ctrl-C stops AME') ? '' : said)).toMatch(
    /^weather#1 succeeded after [\d.]+ s$/m,
  );
  expect(out).toMatch(/^evaluate {2}\| accuracy \d\d\.\d% on 500 held-out days$/m);
});

function kubeconfigWith(
  namespace: string,
  { clusters, users, contexts, currentContext }: KubeConfig,
): string {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters,
    users,
    contexts: contexts.map((context) => ({ ...context, namespace })),
    currentContext,
  });
  return config.exportConfig();
}
