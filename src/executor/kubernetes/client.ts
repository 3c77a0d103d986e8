import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ExecutorAwayError } from '../executor.ts';
import { ClusterRefusal, errorOf } from './cluster-error.ts';
import { openLogin } from './credentials.ts';

/** One call to the API server. */
export type Question = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  /** Ends the call before its time. */
  readonly signal?: AbortSignal;
};

/** An API server and the namespace in it that attempts run in. */
export type Cluster = {
  readonly server: URL;
  readonly namespace: string;
  /** The answer's JSON. Throws `ClusterRefusal` or `ExecutorAwayError`. */
  ask(question: Question): Promise<unknown>;
  /** The answer's bytes as they come, until the signal; the time limit is that of its head. Throws as `ask` does. */
  stream(question: Question, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** What the API server's clock says, as far as its answers told. */
  now(): Date;
  close(): void;
};

export type ClusterOptions = {
  /** Paths of kubeconfig files as KUBECONFIG lists them; null: the usual places or the service account. */
  readonly kubeconfig: string | null;
  /** Null: that of the context or of the service account. */
  readonly namespace: string | null;
  readonly now?: () => number;
};

/** How long an answer may take. A frozen server accepts connections and says nothing. */
const answerWithinMs = 20_000;

/** Reads the kubeconfig and answers with what speaks to its cluster. Throws where there is none. */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const now = options.now ?? Date.now;
  const login = await openLogin(options.kubeconfig, now);
  const { server } = login;
  const request = server.protocol === 'http:' ? requestHttp : requestHttps;
  let clockOffset = 0;

  async function send(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const own = await login.credentials();
    const url = new URL(server);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${question.path}`;
    for (const [name, value] of Object.entries(question.query ?? {})) url.searchParams.set(name, value);
    const body = question.body === undefined ? null : JSON.stringify(question.body);
    const headers = {
      ...own.headers,
      accept: 'application/json',
      'user-agent': 'ame',
      ...(body !== null && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(url, { ...own.options, method: question.method, signal, headers }, resolve);
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  }

  /** A kept connection may be closed by the server in the moment in which it is used; a second one is new. */
  async function sendAgain(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await send(question, signal);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
      return send(question, signal);
    }
  }

  async function open(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    for (let isFirst = true; ; isFirst = false) {
      const response = await sendAgain(question, signal);
      const status = response.statusCode ?? 0;
      clockOffset = offsetOf(response.headers.date, now()) ?? clockOffset;
      if (status >= 200 && status < 300) return response;
      const body = await textOf(response);
      if (status === 401) login.forget();
      if (status === 401 && isFirst) continue;
      throw errorOf({ status, retryAfter: response.headers['retry-after'], body }, now());
    }
  }

  /** Everything that can go wrong below HTTP means that the server is away. */
  async function answered<T>(question: Question, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ClusterRefusal || error instanceof ExecutorAwayError) throw error;
      throw new ExecutorAwayError(`the API server did not answer ${question.method} ${question.path}`, {
        cause: error,
      });
    }
  }

  return {
    server,
    namespace: options.namespace ?? login.namespace,
    ask: (question) =>
      answered(question, async () => {
        const limit = AbortSignal.timeout(question.timeoutMs ?? answerWithinMs);
        const signal = question.signal ? AbortSignal.any([question.signal, limit]) : limit;
        const text = await textOf(await open(question, signal));
        return text === '' ? null : (JSON.parse(text) as unknown);
      }),
    stream: (question, signal) =>
      answered(question, async () => {
        const head = new AbortController();
        const late = (): void => head.abort(new Error('no answer in time'));
        const timer = setTimeout(late, question.timeoutMs ?? answerWithinMs);
        try {
          return await open(question, AbortSignal.any([signal, head.signal]));
        } finally {
          clearTimeout(timer);
        }
      }),
    now: () => new Date(now() + clockOffset),
    close: () => login.close(),
  };
}

/** How far a server's clock is ahead of ours. It says whole seconds, so that less than two are none. */
function offsetOf(date: string | undefined, now: number): number | null {
  const said = Date.parse(date ?? '');
  if (Number.isNaN(said)) return null;
  return Math.abs(said - now) < 2_000 ? 0 : said - now;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
