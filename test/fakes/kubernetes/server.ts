import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, ServerResponse, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStore, selects, type FakeObject, type Store, type Wish } from './store.ts';

/** One request as it came: `GET jobs`, `GET jobs/name`, `WATCH pods`. */
export type Asked = {
  readonly what: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
};

/**
 * What is said in place of the usual: an answer, nothing for ever, or a connection that breaks: before anything is done,
 * or once it is done.
 */
export type Fault =
  | {
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | 'frozen'
  | 'broken'
  | 'done, then broken';

/**
 * The wire of an API server as far as AME speaks it: what a real one cannot be made to do when a test wants it.
 * Whatever a real one can be asked is tried on a real one, in test/cluster.
 */
export type FakeKubernetes = AsyncDisposable & {
  readonly kubeconfig: string;
  readonly store: Store;
  readonly asked: readonly Asked[];
  /** How often this was asked. */
  count(what: string): number;
  /** Resolves once this was asked so often. */
  until(what: string, times?: number): Promise<void>;
  /** The next requests of this kind meet the fault. */
  fail(what: string, fault: Fault, times?: number): void;
  /** From here on nothing meets a fault. */
  mend(): void;
  /** Streams of this kind that are open. */
  open(kind: string): number;
  /** A line into all open streams of the kind, as it stands. */
  say(kind: string, line: string): void;
  /** Ends all open streams of the kind well, or in the middle. */
  end(kind: string, how: 'well' | 'broken'): void;
  /** What changes while it is held is in no stream: connections that are open on one side only. */
  readonly held: { is: boolean };
  /** What containers said, by `<pod>/<container>`. */
  readonly logs: Map<string, string>;
};

const plurals = /\/(jobs|pods|secrets|events|nodes)(?:\/([^/]+?)(\/log)?)?$/;

export async function startFakeKubernetes(): Promise<FakeKubernetes> {
  const asked: Asked[] = [];
  const faults: { what: string; fault: Fault; times: number }[] = [];
  const streams: { kind: string; selector: string; response: ServerResponse }[] = [];
  let listeners: (() => void)[] = [];
  const held = { is: false };
  const logs = new Map<string, string>();

  const store = createStore((kind, { type, object }) => {
    if (held.is) return;
    for (const stream of streams)
      if (stream.kind === kind && selects(stream.selector, object.metadata.labels))
        stream.response.write(`${JSON.stringify({ type, object })}\n`);
  });

  function answer(response: ServerResponse, status: number, body: unknown, headers = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  }

  function refuse(response: ServerResponse, code: number, message: string, headers = {}): void {
    answer(response, code, { kind: 'Status', status: 'Failure', code, message }, headers);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const [, kind = '', name, part = ''] = plurals.exec(url.pathname) ?? [];
    const watches = url.searchParams.get('watch') === '1';
    const method = watches ? 'WATCH' : (request.method ?? 'GET');
    const what = `${method} ${kind}${name === undefined ? '' : `/${name}${part}`}`;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const body = text === '' ? null : (JSON.parse(text) as Wish);
    asked.push({ what, query: url.searchParams, body });
    for (const listener of listeners) listener();
    const found = faults.find((each) => each.times > 0 && what.startsWith(each.what));
    if (found) {
      found.times -= 1;
      const { fault } = found;
      // An answer of its own, which nobody gets.
      if (fault === 'done, then broken') one(method, kind, name, body, new ServerResponse(request));
      if (fault === 'broken' || fault === 'done, then broken') request.socket.destroy();
      else if (fault !== 'frozen') refuse(response, fault.status, fault.message ?? 'no', fault.headers);
      return;
    }
    if (watches) stream(kind, url.searchParams.get('labelSelector') ?? '', response);
    else if (part !== '') sayLog(`${name}/${url.searchParams.get('container')}`, response);
    else if (method === 'GET' && name === undefined) list(kind, url.searchParams, response);
    else one(method, kind, name, body, response);
  }

  function sayLog(container: string, response: ServerResponse): void {
    const text = logs.get(container);
    if (text === undefined) return refuse(response, 404, `${container} not found`);
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(text);
  }

  function stream(kind: string, selector: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const entry = { kind, selector, response };
    streams.push(entry);
    response.on('close', () => {
      streams.splice(streams.indexOf(entry), 1);
      for (const listener of listeners) listener();
    });
    for (const listener of listeners) listener();
  }

  function list(kind: string, query: URLSearchParams, response: ServerResponse): void {
    const all = store
      .all(kind)
      .filter(({ metadata }) => selects(query.get('labelSelector') ?? '', metadata.labels));
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? all.length);
    const more = from + limit < all.length ? { continue: String(from + limit) } : {};
    answer(response, 200, {
      kind: 'List',
      metadata: { resourceVersion: store.version(), ...more },
      items: all.slice(from, from + limit),
    });
  }

  function one(
    method: string,
    kind: string,
    name: string | undefined,
    body: Wish | null,
    response: ServerResponse,
  ): void {
    if (method === 'POST') {
      const wished = body?.metadata?.name ?? '';
      if (store.find(kind, wished)) return refuse(response, 409, `${kind} "${wished}" already exists`);
      return answer(response, 201, store.put(kind, wished, body ?? {}));
    }
    const there: FakeObject | undefined = store.find(kind, name ?? '');
    if (there === undefined) return refuse(response, 404, `${kind} "${name}" not found`);
    if (method === 'PUT') return answer(response, 200, store.put(kind, there.metadata.name, body ?? {}));
    if (method === 'DELETE') {
      const wished = (body?.['preconditions'] as { readonly uid?: string } | undefined)?.uid;
      if (wished !== undefined && wished !== there.metadata.uid)
        return refuse(response, 409, 'the UID in the precondition does not match');
      store.remove(kind, there.metadata.name);
    }
    answer(response, 200, there);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  const directory = await mkdtemp(join(tmpdir(), 'ame-kube-'));
  const kubeconfig = join(directory, 'config');
  await writeFile(kubeconfig, kubeconfigOf(`http://127.0.0.1:${port}`));

  return {
    kubeconfig,
    store,
    asked,
    count: (what) => asked.filter((each) => each.what.startsWith(what)).length,
    until: (what, times = 1) =>
      new Promise((resolve) => {
        const check = (): void => {
          const met = what.startsWith('open ')
            ? streams.filter(({ kind }) => `open ${kind}` === what).length >= times
            : asked.filter((each) => each.what.startsWith(what)).length >= times;
          if (!met) return;
          listeners = listeners.filter((listener) => listener !== check);
          resolve();
        };
        listeners.push(check);
        check();
      }),
    fail: (what, fault, times = 1) => void faults.push({ what, fault, times }),
    mend: () => void faults.splice(0),
    open: (kind) => streams.filter((each) => each.kind === kind).length,
    say: (kind, line) => {
      for (const each of streams) if (each.kind === kind) each.response.write(`${line}\n`);
    },
    end: (kind, how) => {
      for (const each of streams.filter((stream_) => stream_.kind === kind)) {
        if (how === 'well') each.response.end();
        else each.response.destroy();
      }
    },
    held,
    logs,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
}

function kubeconfigOf(server: string): string {
  return `apiVersion: v1
kind: Config
current-context: fake
contexts: [{name: fake, context: {cluster: fake, user: fake, namespace: work}}]
clusters: [{name: fake, cluster: {server: "${server}"}}]
users: [{name: fake, user: {token: good}}]
`;
}
