import type { KubeConfig } from '@kubernetes/client-node';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as requestHttps, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';

/** One question that AME asked the API server; the status is 0 where it got no answer. */
export type Asked = {
  readonly method: string;
  /** Such as `jobs`, and what stands behind it: `ame-attempt-7`. */
  readonly resource: string;
  readonly name: string | null;
  readonly status: number;
};

/** A way to the API server that counts what is asked, for one AME. */
export type ApiRelay = AsyncDisposable & {
  /** A kubeconfig that leads here; the credentials stay here. */
  readonly kubeconfig: string;
  /** In the order of their answers. */
  readonly asked: readonly Asked[];
  /** Is called with each question that was answered, before AME hears the answer. */
  onAnswer: (asked: Asked) => void;
};

export async function createApiRelay(config: KubeConfig, file: string): Promise<ApiRelay> {
  const to = new URL(config.getCurrentCluster()?.server ?? '');
  const given: RequestOptions = {};
  await config.applyToHTTPSOptions(given);
  const { ca, cert, key, rejectUnauthorized } = given;
  const agent = new Agent({
    keepAlive: true,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  });
  const own = Object.fromEntries(
    Object.entries(given.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const asked: Asked[] = [];
  const relay: Pick<ApiRelay, 'onAnswer'> = { onAnswer: () => {} };

  function note(question: IncomingMessage, body: Buffer, status: number): void {
    const path = new URL(question.url ?? '', to).pathname;
    const of = /\/namespaces\/[^/]+\/(\w+)(?:\/([^/]+))?/.exec(path);
    const made = question.method === 'POST' ? nameIn(body) : null;
    const one = {
      method: question.method ?? '',
      resource: of?.[1] ?? basename(path),
      name: of?.[2] ?? made,
      status,
    };
    asked.push(one);
    relay.onAnswer(one);
  }

  async function carry(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of question) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const sent = requestHttps(new URL(question.url ?? '', to), {
      agent,
      method: question.method ?? 'GET',
      headers: { ...question.headers, ...own, host: to.host },
    });
    let isAnswered = false;
    sent.on('error', () => {
      if (!isAnswered) note(question, body, 0);
      isAnswered = true;
      answer.destroy();
    });
    sent.on('response', (got) => {
      isAnswered = true;
      note(question, body, got.statusCode ?? 0);
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.on('error', () => answer.destroy());
      got.pipe(answer);
    });
    answer.on('close', () => sent.destroy());
    sent.end(body);
  }

  const server = createServer((question, answer) => {
    carry(question, answer).catch(() => answer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  const name = basename(dirname(file)) || 'relay';
  await writeFile(
    file,
    // JSON is YAML.
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    }),
  );
  return Object.assign(relay, {
    kubeconfig: file,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  });
}

function nameIn(body: Buffer): string | null {
  const { metadata }: { metadata?: { name?: string } } = JSON.parse(body.toString());
  return metadata?.name ?? null;
}
