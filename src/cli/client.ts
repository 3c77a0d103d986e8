import { hc, parseResponse } from 'hono/client';
import { isAbsolute, resolve } from 'node:path';
import { dataDirectoryPath, findServer, readOrCreateToken } from '../data-directory.ts';
import type { Api } from '../server/api.ts';
import { inputFault, RefusalFault, ServerAwayFault } from './fault.ts';
import type { Terminal } from './terminal.ts';

export { parseResponse as answer };

/** The server that a command talks to. */
export type Client = {
  readonly api: ReturnType<typeof hc<Api>>['api']['v1'];
  /** Without a slash at its end. */
  readonly address: string;
  readonly token: string;
  /** For what the API's types do not cover. Throws like `api`: `ServerAwayFault` or `RefusalFault`, never a bad answer. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
};

export type ServerAddress = { readonly address: string; readonly token: string };

/** A text as one part of a path: the client of hono puts it there as it stands, and reads `$` in it as a pattern. */
export function pathPart(text: string): string {
  return encodeURIComponent(text);
}

/** Makes a client of a server. Every answer that is not good is thrown. */
export function createClient({ address, token }: ServerAddress): Client {
  const request = (url: string | URL | Request, init?: RequestInit): Promise<Response> =>
    send(address, url, init);
  const headers = { authorization: `Bearer ${token}` };
  return {
    api: hc<Api>(address, { fetch: request, headers }).api.v1,
    address,
    token,
    fetch: (path, init) =>
      request(`${address}${path}`, { ...init, headers: { ...headers, ...plainHeaders(init) } }),
  };
}

/** Connects to the server that AME_URL and AME_TOKEN name, else to that of the data directory. */
export async function connect(terminal: Terminal): Promise<Client> {
  return createClient(await findAddress(terminal));
}

/** Where the server is and what opens its doors. Throws a fault that says how to start one. */
export async function findAddress(terminal: Terminal): Promise<ServerAddress> {
  const { url, token } = terminal.config;
  const directory = directoryOf(terminal);
  if (url !== null) {
    if (token !== null) return { address: url, token };
    // The token of this machine's own server is not for others to see.
    if (!isLoopback(url)) throw inputFault(`AME_TOKEN is not set: ${url} asks for its token.`);
    return { address: url, token: await readOrCreateToken(directory) };
  }
  const server = await findServer(directory);
  if (server === undefined) throw notRunning(`AME is not running (data directory ${directory})`);
  return { address: server.address, token: token ?? (await readOrCreateToken(directory)) };
}

/** The data directory that the environment means, absolute. */
export function directoryOf(terminal: Pick<Terminal, 'env' | 'cwd'>): string {
  const path = dataDirectoryPath(terminal.env, process.getuid?.());
  return isAbsolute(path) ? path : resolve(terminal.cwd, path);
}

function notRunning(what: string, options?: ErrorOptions): ServerAwayFault {
  return new ServerAwayFault(`${what}. Start it with: npm start (or: ame serve)`, options);
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}

async function send(address: string, url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((error: unknown) => {
    if (init?.signal?.aborted) throw error;
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : reasonOf(cause ?? error);
    if (code === 'ECONNREFUSED') throw notRunning(`AME does not answer at ${address}`, { cause: error });
    throw new ServerAwayFault(`AME does not answer at ${address}: ${code}`, { cause: error });
  });
  if (response.ok) return response;
  throw await refusalOf(response, address);
}

async function refusalOf(response: Response, address: string): Promise<RefusalFault> {
  const body: unknown = await response.json().catch(() => null);
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  if (response.status === 401) {
    const message = `the token for ${address} is not right: set AME_TOKEN to what stands in the file \`token\` of the server's data directory`;
    return new RefusalFault(401, 'token-needed', message);
  }
  if (typeof error === 'object' && error !== null && 'message' in error && 'code' in error) {
    return new RefusalFault(response.status, String(error.code), String(error.message));
  }
  return new RefusalFault(
    response.status,
    'unknown',
    `${address} answered with HTTP ${response.status}: is that AME?`,
  );
}

function plainHeaders(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
