import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { randomBytes } from 'node:crypto';
import { percentile, type Figures } from './figures.ts';
import { measureActive } from './kubernetes/active.ts';
import { measureAnswers } from './kubernetes/answers.ts';
import { measureRealPods } from './kubernetes/real-pods.ts';

/**
 * The Kubernetes executor, on the cluster that KUBECONFIG names. The first two parts want nodes that run nothing (kwok's,
 * say): AME_K8S_NODE_SELECTOR, AME_K8S_TOLERATIONS and AME_K8S_ANNOTATIONS say how pods come there and stay. The third one
 * wants real nodes, AME_IMAGE, AME_AGENT_URL or an address that pods reach, and AME_DEFAULT_IMAGE.
 */
export async function benchKubernetes(): Promise<Figures> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const core = config.makeApiClient(CoreV1Api);
  const within = async <T>(work: (namespace: string) => Promise<T>): Promise<T> => {
    const name = `ame-bench-${randomBytes(3).toString('hex')}`;
    await core.createNamespace({ body: { metadata: { name } } });
    try {
      return await work(name);
    } finally {
      await core.deleteNamespace({ name });
    }
  };
  const image = process.env['AME_DEFAULT_IMAGE'] ?? 'python:3.12-slim';
  const { between, bare } = await within((name) => measureRealPods(config, name, image));
  const { created, done } = await within((name) => measureAnswers(config, name));
  const active = await within((name) => measureActive(config, name));
  const ms = (values: readonly number[], share: number): number => Math.round(percentile(values, share));
  const figures = {
    ...active,
    pushToJobP50: ms(created, 0.5),
    pushToJobP99: ms(created, 0.99),
    endToCheckP50: ms(done, 0.5),
    endToCheckP99: ms(done, 0.99),
    endToNextStartP50: ms(between, 0.5),
    bareJobStartP50: ms(bare, 0.5),
  };
  return {
    name: 'kubernetes',
    figures,
    aims: {
      peakMib: '<= 512',
      steadyCores: '<= 1',
      createdPerSecond: '>= 100, or what plain creates reach',
      pushToJobP50: '<= 300',
      pushToJobP99: '<= 1000',
      endToCheckP50: '<= 1000',
      endToCheckP99: '<= 3000',
      endToNextStartP50: '<= 1300',
    },
    met:
      figures.peakMib <= 512 &&
      figures.steadyCores <= 1 &&
      figures.createdPerSecond >= Math.min(100, 0.9 * figures.plainPerSecond) &&
      figures.pushToJobP50 <= 300 &&
      figures.pushToJobP99 <= 1_000 &&
      figures.endToCheckP50 <= 1_000 &&
      figures.endToCheckP99 <= 3_000 &&
      figures.endToNextStartP50 <= 1_300,
  };
}
