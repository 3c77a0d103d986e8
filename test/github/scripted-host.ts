import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectGithub, type GithubOptions } from '../../src/github/connect.ts';
import type { Github, GithubRepository } from '../../src/github/connection.ts';

/** What a test says that comes next, or a function that does it by hand. */
export type Scripted =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | ((request: IncomingMessage, response: ServerResponse) => void);

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type ScriptedHost = AsyncDisposable & {
  readonly url: string;
  /** Token exchanges apart. */
  readonly asked: Asked[];
  readonly exchanges: Asked[];
  /** Answers to calls in their order; the last one is given again. */
  answers: readonly Scripted[];
  /** Of tokens, as GitHub would say it; null: an hour from now. */
  tokensExpireAt: Date | null;
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const scriptedKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

export const pets: GithubRepository = { installationId: '7', hostId: '42', owner: 'acme', name: 'pets' };

/**
 * A host that answers with whatever a test says: for answers that a faithful fake never gives, and for bytes that
 * break off. Tokens are given to all who ask, named by a number that counts.
 */
export async function createScriptedHost(): Promise<ScriptedHost> {
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host: ScriptedHost = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    exchanges: [],
    answers: [],
    tokensExpireAt: null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Uint8Array>)).toString();
    const { method = '', url: path = '', headers } = request;
    const asked = { method, path, headers, body };
    if (path.endsWith('/access_tokens')) {
      host.exchanges.push(asked);
      const expiresAt = host.tokensExpireAt ?? new Date(Date.now() + 3_600_000);
      say(response, {
        status: 201,
        body: { token: `token-${host.exchanges.length}`, expires_at: expiresAt.toISOString() },
      });
      return;
    }
    const scripted = host.answers[Math.min(host.asked.length, host.answers.length - 1)];
    host.asked.push(asked);
    if (typeof scripted === 'function') scripted(request, response);
    else say(response, scripted ?? { status: 500, body: { message: 'nothing scripted' } });
  }

  return host;
}

function say(response: ServerResponse, scripted: Exclude<Scripted, (...given: never[]) => void>): void {
  const { status, headers = {}, body } = scripted;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
}

/** A connection to the host, with whatever the test wants else. */
export function connectScripted(host: ScriptedHost, options: Partial<GithubOptions> = {}): Github {
  return connectGithub({
    app: { id: '1', privateKey: scriptedKey },
    apiUrl: host.url,
    webUrl: host.url,
    ...options,
  });
}
