import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { SignedWrite } from '../core/attempt.ts';

/** Milliseconds without a byte in either direction after which a connection counts as cut. */
const stallMs = 60_000;
/** Milliseconds until a connection stands, with its keys exchanged. */
export const connectMs = 10_000;

/** Until when a transfer goes on. */
export type Patience = { readonly signal: AbortSignal; readonly connectMs: number };

/** The store did not do what its signed address promised; another try, or another way, may. */
export class StoreAwayError extends Error {
  override name = 'StoreAwayError';
  /** Whether there was no answer at all: the store may be out of our reach. */
  readonly isUnreachable: boolean;
  /** It was out of reach because what was sent to it went nowhere, and not because somebody said so. */
  readonly isSilent: boolean;
  readonly host: string | null;
  constructor(
    message: string,
    isUnreachable: boolean,
    options: ErrorOptions & { readonly isSilent?: boolean; readonly host?: string } = {},
  ) {
    super(message, options);
    this.isUnreachable = isUnreachable;
    this.isSilent = options.isSilent ?? false;
    this.host = options.host ?? null;
  }
}

/** Content from a signed address, from this byte on, as it comes. The address alone proves who asks: no token goes along. */
export async function readSigned(url: string, from: number, patience: Patience): Promise<Readable> {
  const headers = from === 0 ? {} : { range: `bytes=${from}-` };
  const response = await send('GET', url, headers, null, patience);
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
  patience: Patience,
): Promise<void> {
  // `fetch` sends a stream in chunks, and stores want to know its length before.
  const response = await send('PUT', url, { ...headers, 'content-length': String(size) }, content, patience);
  response.resume();
  const status = response.statusCode ?? 0;
  if (status < 200 || status >= 300) throw new StoreAwayError(`the store answered with ${status}`, false);
}

async function send(
  method: 'GET' | 'PUT',
  url: string,
  headers: Readonly<Record<string, string>>,
  content: ReadableStream<Uint8Array> | null,
  { signal, connectMs: within }: Patience,
): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:');
  const request = (isSecure ? httpsRequest : httpRequest)(url, { method, headers, timeout: stallMs, signal });
  let isSilent = false;
  const giveUp = (milliseconds: number): void => {
    isSilent = true;
    request.destroy(new Error(`nothing went or came for ${milliseconds / 1_000} s`));
  };
  request.once('timeout', () => giveUp(stallMs));
  request.once('socket', (socket) => {
    // A kept one stands already.
    if (!socket.connecting) return;
    const late = setTimeout(() => giveUp(within), within);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(late));
    socket.once('close', () => clearTimeout(late));
  });
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
    signal.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    const { host } = new URL(url);
    throw new StoreAwayError(`the store at ${host} cannot be reached: ${said}`, true, {
      cause: error,
      isSilent,
      host,
    });
  }
}
