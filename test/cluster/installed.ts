import type { KubernetesObject, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from './cluster.ts';

const root = join(import.meta.dirname, '../../deploy/kubernetes');

/** Whether there is a kubectl, which builds the manifests from their parts. */
export async function hasKubectl(): Promise<boolean> {
  return promisify(execFile)('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  );
}

/**
 * The manifests of a directory of `deploy/kubernetes`, moved from `ame` and `ame-work` to two namespaces of the test's
 * own, without those namespaces themselves.
 */
export async function manifestsOf(
  directory: string,
  own: { readonly service: string; readonly work: string },
): Promise<KubernetesObject[]> {
  const { stdout } = await promisify(execFile)('kubectl', ['kustomize', join(root, directory)]);
  const moved = stdout
    .replaceAll(/((?:namespace|AME_K8S_NAMESPACE|metadata\.name): )ame-work$/gm, `$1${own.work}`)
    .replaceAll(/((?:namespace|metadata\.name): )ame$/gm, `$1${own.service}`)
    .replaceAll('ame-agent.ame.svc', `ame-agent.${own.service}.svc`)
    .replaceAll('ame-node-reader', `ame-node-reader-${own.service}`);
  return parseAllDocuments(moved)
    .map((document): KubernetesObject => document.toJS())
    .filter(({ kind }) => kind !== 'Namespace');
}

/**
 * Creates what is given, or with `dryRun` only lets the API server judge it. A field that it does not know is an error:
 * the client for Node leaves such fields out, and nobody would hear of them.
 */
export async function create(objects: readonly KubernetesObject[], dryRun?: 'dryRun'): Promise<void> {
  const args = ['create', '--validate=strict', '--filename=-', ...(dryRun ? ['--dry-run=server'] : [])];
  const created = promisify(execFile)('kubectl', args);
  created.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  await created;
}

export function isDeployment(object: KubernetesObject): object is V1Deployment {
  return object.kind === 'Deployment';
}

export function isStatefulSet(object: KubernetesObject): object is V1StatefulSet {
  return object.kind === 'StatefulSet';
}

/** A PersistentVolume in a directory of all nodes, for one claim. Answers with its name. */
export async function createDisk(
  cluster: Cluster,
  disk: string,
  claim: string,
): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `${cluster.namespace}-${claim}`;
  const path = join(disk, name);
  await mkdir(path);
  // Whoever runs in the pods is no user of this machine; and the umask counts for mkdir.
  await chmod(path, 0o777);
  await cluster.core.createPersistentVolume({
    body: {
      metadata: { name },
      spec: {
        capacity: { storage: '20Gi' },
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
        hostPath: { path },
        storageClassName: '',
        claimRef: { namespace: cluster.namespace, name: claim },
      },
    },
  });
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await cluster.core.deletePersistentVolume({ name });
    },
  };
}

/** Lets this machine reach the Service `ame` of a namespace through the API server. Answers with the address. */
export async function forward(namespace: string): Promise<AsyncDisposable & { readonly address: string }> {
  const child = spawn('kubectl', ['--namespace', namespace, 'port-forward', 'service/ame', ':80'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(() => ['it ended']),
  ]);
  const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(String(first[0]))?.[1];
  if (port === undefined) throw new Error(`kubectl port-forward said: ${String(first[0])}`);
  return {
    address: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await exited;
    },
  };
}

export function secretText(): string {
  return randomBytes(32).toString('hex');
}
