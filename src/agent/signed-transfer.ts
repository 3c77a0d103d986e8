import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { SignedWrite } from '../core/attempt.ts';

/** Milliseconds without a byte in either direction after which a connection counts as cut. */
const stallMs = 60_000;

/** The store did not do what its signed address promised; another try, or another way, may. */
export class StoreAwayError extends Error {
  override name = 'StoreAwayError';
  /** Whether there was no answer at all: the store may be out of our reach. */
  readonly isUnreachable: boolean;
  constructor(message: string, isUnreachable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isUnreachable = isUnreachable;
  }
}

/** Content from a signed address, from this byte on, as it comes. The address alone proves who asks: no token goes along. */
export async function readSigned(url: string, from: number, signal?: AbortSignal): Promise<Readable> {
  const headers = from === 0 ? {} : { range: `bytes=${from}-` };
  const response = await send('GET', url, headers, null, signal);
  // A server that passes over the range begins at the beginning.
  if (response.statusCode === (from === 0 ? 200 : 206)) return response;
  response.destroy();
  throw new StoreAwayError(`the store answered with ${response.statusCode ?? 0}`, false);
}

/** Puts content of this size where a signed request says. */
export async function putSigned(
  { url, headers }: SignedWrite,
  content: ReadableStream<Uint8Array>,
  size: number,
  signal?: AbortSignal,
): Promise<void> {
  // `fetch` sends a stream in chunks, and stores want to know its length before.
  const response = await send('PUT', url, { ...headers, 'content-length': String(size) }, content, signal);
  response.resume();
  const status = response.statusCode ?? 0;
  if (status < 200 || status >= 300) throw new StoreAwayError(`the store answered with ${status}`, false);
}

async function send(
  method: 'GET' | 'PUT',
  url: string,
  headers: Readonly<Record<string, string>>,
  content: ReadableStream<Uint8Array> | null,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const start = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = start(url, { method, headers, timeout: stallMs, ...(signal && { signal }) });
  request.once('timeout', () => request.destroy(new Error(`nothing went or came for ${stallMs / 1_000} s`)));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve).once('error', reject);
  // An early refusal comes before all has been sent: what it says wins over what becomes of the sending.
  const sending = content === null ? Promise.resolve() : pipeline(Readable.fromWeb(content), request);
  if (content === null) request.end();
  const broken = sending.catch((error: unknown) => reject(error));
  try {
    const response = await promise;
    await broken;
    return response;
  } catch (error) {
    signal?.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    throw new StoreAwayError(`the store cannot be reached: ${said}`, true, { cause: error });
  }
}
