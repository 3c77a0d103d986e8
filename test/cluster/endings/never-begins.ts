import type { AttemptJob } from './attempt-job.ts';
import { kubectl } from './bench.ts';
import { at } from './one-row.ts';
import { isOver, waitsFor, warned, type Scenario } from './world.ts';

const nowhere = { nodeSelector: { 'ame.dev/none': 'x' } };

/** Attempts that have a node, and wait for their image or their container. */
export const neverBegins: readonly Scenario[] = [
  at(
    'being-made',
    {},
    ({ facts }) => facts.pod !== null && facts.pod.node !== null && facts.pod.agent?.state === 'waiting',
  ),
  at(
    'image-being-fetched',
    {},
    ({ facts }) => facts.pod?.agent?.state === 'running' && facts.pod.task?.state === 'waiting',
  ),
  at('runs', {}, ({ facts }) => facts.pod?.task?.state === 'running'),
  at('image-unreachable', { image: 'registry.invalid/team/image:1' }, waitsFor('ImagePullBackOff')),
  at('agent-image-unreachable', { agentImage: 'registry.invalid/ame:1' }, waitsFor('ImagePullBackOff')),
  at('image-misnamed', { image: 'No Image' }, waitsFor('InvalidImageName')),
  at('agent-image-misnamed', { agentImage: 'No Image' }, waitsFor('InvalidImageName')),
  at(
    'image-not-there',
    { image: 'registry.invalid/never:1', container: { imagePullPolicy: 'Never' } },
    waitsFor('ErrImageNeverPull'),
  ),
  bad('image-missing', 'missing/image:1'),
  bad('image-private', 'private/image:1'),
  bad('image-forbidden', 'forbidden/image:1'),
  bad('image-rate-limited', 'busy/image:1'),
  bad('image-registry-failing', 'failing/image:1'),
  bad('image-for-other-machines', 'foreign/image:1'),
  {
    rows: ['no-shell'],
    play: async ({ bench, images }) => {
      const attempt = await bench.start({ image: images.small.replace(/[^/]*$/u, 'pause:1') });
      await bench.record('no-shell', attempt, await bench.until(attempt, isOver));
    },
  },
  over('image-does-not-run', { container: { command: ['/etc'] } }),
  over('start-error', { container: { command: ['sh', '-c', 'true'], workingDir: '/proc/1/none' } }),
  over('memory-too-small', { memory: '1Mi' }),
  at(
    'secret-missing',
    { container: { env: [secret('no-such-secret', 'TOKEN')] } },
    waitsFor('CreateContainerConfigError'),
  ),
  {
    rows: ['secret-key-missing'],
    play: async ({ bench }) => {
      const metadata = { name: 'ame-project-1' };
      await bench.kubectl(['apply', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        stringData: { OTHER: 'x' },
      });
      const attempt = await bench.start({ container: { env: [secret('ame-project-1', 'HUB_TOKEN')] } });
      const seen = await bench.until(attempt, waitsFor('CreateContainerConfigError'));
      await bench.record('secret-key-missing', attempt, seen);
    },
  },
  {
    rows: ['token-missing'],
    play: async ({ bench }) => {
      const volumes = [
        { name: 'workspace', emptyDir: {} },
        { name: 'state', emptyDir: {} },
        { name: 'token', secret: { secretName: 'ame-attempt-none' } },
      ];
      // A volume that nothing mounts is not waited for.
      const volumeMounts = [{ name: 'token', mountPath: '/ame/token' }];
      const attempt = await bench.start({ pod: { volumes }, container: { volumeMounts } });
      await warned(bench, attempt, 'FailedMount');
      await bench.record(
        'token-missing',
        attempt,
        await bench.until(attempt, ({ facts }) => (facts.pod?.agent ?? null) !== null),
      );
    },
  },
  {
    rows: ['user-is-root'],
    play: async ({ open }) => {
      const loose = await open('loose', {});
      const attempt = await loose.start({ pod: { securityContext: { runAsNonRoot: true } } });
      const seen = await loose.until(attempt, waitsFor('CreateContainerConfigError'));
      await loose.record('user-is-root', attempt, seen);
    },
  },
  {
    rows: ['config-map-missing'],
    play: async ({ bench }) => {
      const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'x' } } }];
      const attempt = await bench.start({ container: { env } });
      await bench.record(
        'config-map-missing',
        attempt,
        await bench.until(attempt, waitsFor('CreateContainerConfigError')),
      );
    },
  },
  over('node-was-full', { pod: { nodeName: '{node}' }, requests: { cpu: '500' } }),
  over('node-refused', { pod: { nodeName: '{node}', ...nowhere } }),
  {
    rows: ['runtime-missing'],
    play: async ({ bench, undo }) => {
      const name = `${bench.namespace}-nowhere`;
      await kubectl(['apply', '-f', '-'], {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name },
        handler: 'nowhere',
      });
      undo(() => kubectl(['delete', 'runtimeclass', name]));
      const attempt = await bench.start({ pod: { runtimeClassName: name } });
      await warned(bench, attempt, 'FailedCreatePodSandBox');
      await bench.record(
        'runtime-missing',
        attempt,
        await bench.until(
          attempt,
          ({ facts }) => facts.pod !== null && facts.pod.node !== null && facts.pod.agent !== null,
        ),
      );
    },
  },
];

function over(row: string, spec: AttemptJob): Scenario {
  return {
    rows: [row],
    play: async ({ bench, node }) => {
      const pod: object = JSON.parse(JSON.stringify(spec.pod ?? {}).replaceAll('{node}', node));
      const attempt = await bench.start({ ...spec, pod });
      await bench.record(row, attempt, await bench.until(attempt, isOver));
    },
  };
}

function bad(row: string, path: string): Scenario {
  return {
    rows: [row],
    play: async ({ bench, badRegistry, skip }) => {
      if (badRegistry === null) return skip(row, 'the nodes are on other machines than this registry');
      const image = `${badRegistry}/${path}`;
      const attempt = await bench.start({ image });
      const seen = await bench.until(attempt, waitsFor('ErrImagePull'));
      await bench.record(row, attempt, seen, { circumstances: { image } });
    },
  };
}

function secret(name: string, key: string): object {
  return { name: 'TOKEN', valueFrom: { secretKeyRef: { name, key, optional: false } } };
}
