import { Exec } from '@kubernetes/client-node';
import { PassThrough } from 'node:stream';
import { attemptOf, type Cluster } from './cluster.ts';

/** Runs a line in a container of an attempt's pod; resolves once it has ended, or its container has. */
export async function within(
  cluster: Cluster,
  attempt: number,
  container: 'agent' | 'task',
  line: string,
): Promise<void> {
  const { config, namespace } = cluster;
  const pod = await cluster.pods((pods) => pods.find((each) => attemptOf(each) === attempt));
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const socket = await new Exec(config).exec(
    namespace,
    pod.metadata?.name ?? '',
    container,
    ['sh', '-c', line],
    new PassThrough().resume(),
    new PassThrough().resume(),
    null,
    false,
    () => resolve(),
  );
  socket.addEventListener('close', () => resolve());
  await closed;
}
