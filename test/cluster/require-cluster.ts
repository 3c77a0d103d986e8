import { KubeConfig, VersionApi } from '@kubernetes/client-node';
import { readSettings } from './settings.ts';

/** Once before all: says which cluster this is, and fails where there is none. */
export async function setup(): Promise<void> {
  const { kubeconfig } = readSettings();
  if (kubeconfig === '')
    throw new Error(
      'test:cluster needs a cluster. Set KUBECONFIG to the file that kind, k3s or yours wrote.',
    );
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
  console.log(`cluster: Kubernetes ${gitVersion} at ${config.getCurrentCluster()?.server ?? 'no address'}`);
}
