import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions, type RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { ExecutorAwayError } from '../executor.ts';

/** What a request to the API server carries. */
export type Credentials = {
  readonly options: Pick<RequestOptions, 'agent' | 'auth'>;
  readonly headers: Readonly<Record<string, string>>;
};

/** An API server as a kubeconfig names it, and what it takes us for. */
export type Login = {
  readonly server: URL;
  /** Of the context or of the service account. */
  readonly namespace: string;
  /** Throws `ExecutorAwayError` where a plug-in or a file does not give them now. */
  credentials(): Promise<Credentials>;
  /** They were refused: the next ones are asked for anew. */
  forget(): void;
  close(): void;
};

/** Tokens of service accounts and certificates of plug-ins change while we run. */
const believedMs = 30_000;
/** Connections at once; what is more waits. An API server takes 400 calls at once of all its clients together. */
const mostConnections = 32;

/**
 * Reads a kubeconfig; nothing is asked yet. `paths` are as KUBECONFIG lists them; null: the usual places, or the
 * service account of the pod. Throws where there is none, or it names no cluster.
 *
 * The library is used for what it knows of credentials alone: its calls open a connection each, have no time limit,
 * and lose `Retry-After`. Loading it takes half a second, which who runs on this machine alone does not pay.
 */
export async function openLogin(paths: string | null, now: () => number): Promise<Login> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kube = new KubeConfig();
  load(kube, paths, () => new KubeConfig());
  const cluster = kube.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no current cluster: set current-context');
  const server = new URL(cluster.server);
  const isPlain = server.protocol === 'http:';
  // The library refuses plain http unless it is told that nothing is verified, which is what http means.
  if (isPlain && !cluster.skipTLSVerify) kube.clusters = [{ ...cluster, skipTLSVerify: true }];
  let known: (Credentials & { readonly until: number }) | null = null;
  let agent: { readonly key: string; readonly is: HttpAgent } | null = null;

  function agentFor(given: RequestOptions): HttpAgent {
    const { agent: theirs, ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = given;
    const secured = withoutUndefined({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized });
    const identity = JSON.stringify(Object.values(secured).map(String));
    if (agent?.key === identity) return agent.is;
    // What is on its way may end; nothing new is sent with what was good before.
    const before = agent?.is;
    const kept = { keepAlive: true, maxSockets: mostConnections };
    // Theirs makes a connection for each call, and is only needed for the way through a proxy.
    if (cluster?.proxyUrl && theirs instanceof HttpAgent) agent = { key: identity, is: theirs };
    else
      agent = { key: identity, is: isPlain ? new HttpAgent(kept) : new HttpsAgent({ ...kept, ...secured }) };
    closeIdle(before);
    return agent.is;
  }

  return {
    server,
    namespace: kube.getContextObject(kube.getCurrentContext())?.namespace ?? 'default',
    async credentials() {
      if (known !== null && known.until > now()) return known;
      const given: RequestOptions = {};
      try {
        await kube.applyToHTTPSOptions(given);
      } catch (error) {
        throw new ExecutorAwayError('the credentials for the cluster cannot be had', { cause: error });
      }
      const headers = Object.entries(given.headers ?? {}).map(([name, value]) => [name, String(value)]);
      known = {
        options: { agent: agentFor(given), ...(typeof given.auth === 'string' && { auth: given.auth }) },
        headers: Object.fromEntries(headers) as Record<string, string>,
        until: now() + believedMs,
      };
      return known;
    },
    forget() {
      known = null;
    },
    close() {
      agent?.is.destroy();
    },
  };
}

function load(kube: KubeConfig, paths: string | null, another: () => KubeConfig): void {
  if (paths === null) {
    kube.loadFromDefault();
    // What the library makes up where it finds nothing.
    if (kube.getCurrentCluster()?.server === 'http://localhost:8080')
      throw new Error('no cluster is configured: set KUBECONFIG to the path of a kubeconfig file');
    return;
  }
  const [first = '', ...others] = paths.split(delimiter).filter((path) => path !== '');
  kube.loadFromFile(first);
  for (const path of others) {
    const more = another();
    more.loadFromFile(path);
    kube.mergeConfig(more, true);
  }
}

function closeIdle(agent: HttpAgent | undefined): void {
  for (const sockets of Object.values(agent?.freeSockets ?? {}))
    for (const socket of sockets ?? []) socket.destroy();
}

function withoutUndefined(values: {
  readonly [K in keyof AgentOptions]: AgentOptions[K] | undefined;
}): AgentOptions {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
