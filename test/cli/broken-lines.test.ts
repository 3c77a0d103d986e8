import { once } from 'node:events';
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type Client } from '../../src/cli/client.ts';
import { followLog, type LogPart } from '../../src/cli/follow-log.ts';
import { readLog } from '../../src/cli/read-log.ts';
import { serve, type Served } from './served.ts';

// A line to the server that breaks again and again in the middle of an answer.

const expected = Array.from({ length: 100_000 }, (_, at) => `${at + 1}\n`).join('');
let served: Served;
let line: HttpServer;
let client: Client;
let attempt: number;
let requests: string[];

beforeAll(async () => {
  served = await serve();
  await served.push('long', { 'ame.yaml': 'projectname: long\non: push\ntasks:\n  main: seq 1 100000\n' });
  const { out } = await served.ame(['run', '--project', 'long', '--json']);
  attempt = (JSON.parse(out) as { attempts: { id: number }[] }).attempts[0]?.id ?? 0;
  line = createServer((request, response) => {
    requests.push(`${request.url?.replace(/^.*\/log/, 'log')} ${request.headers.range ?? ''}`.trim());
    const breaksAfter = request.url?.includes('events') ? 450_000 : 150_000;
    void pass(`${served.server.address}${request.url}`, request.headers, response, breaksAfter);
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  const bound = line.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('the line has no port');
  client = createClient({ address: `http://127.0.0.1:${bound.port}`, token: served.server.token });
});
afterAll(async () => {
  line.closeAllConnections();
  line.close();
  await served[Symbol.asyncDispose]();
});

/** Passes an answer on, but cuts the connection after so many bytes of it. */
async function pass(
  url: string,
  { authorization = '', range }: { authorization?: string | undefined; range?: string | undefined },
  response: ServerResponse,
  breaksAfter: number,
): Promise<void> {
  const answer = await fetch(url, { headers: { authorization, ...(range === undefined ? {} : { range }) } });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  let left = breaksAfter;
  for await (const chunk of answer.body ?? []) {
    const bytes = Buffer.from(chunk as Uint8Array).subarray(0, left);
    left -= bytes.byteLength;
    await new Promise((resolve) => response.write(bytes, resolve));
    if (left === 0) return void response.destroy();
  }
  response.end();
}

async function gather(parts: AsyncIterable<LogPart>): Promise<{ whole: string; pieces: string }> {
  const found: LogPart[] = [];
  for await (const part of parts) found.push(part);
  const text = (bytes: readonly Uint8Array[]): string => Buffer.concat(bytes).toString();
  return {
    whole: text(found.map(({ bytes }) => bytes)),
    pieces: text(found.flatMap(({ pieces }) => pieces.map(({ bytes }) => bytes))),
  };
}

test('a log that is followed goes on at the next byte', async () => {
  requests = [];
  const { whole, pieces } = await gather(followLog(client, attempt));
  expect(whole === expected && pieces === expected).toBe(true);
  expect(requests.length).toBeGreaterThan(1);
  expect(requests[0]).toBe('log/events?offset=0');
  expect(requests[1]).toMatch(/^log\/events\?offset=[1-9]\d+$/);
});

test('a log that is read goes on at the next byte', async () => {
  requests = [];
  const { whole } = await gather(readLog(client, attempt));
  expect(whole === expected).toBe(true);
  expect(requests.slice(0, 2)).toEqual(['log', expect.stringMatching(/^log bytes=[1-9]\d+-$/)]);
});

test('who stops following gets no more, and is not asked to wait', async () => {
  const stopped = new AbortController();
  const parts = followLog(client, attempt, { signal: stopped.signal });
  await parts.next();
  stopped.abort();
  await expect(parts.next().then((more) => (more.done ? more : parts.next()))).rejects.toThrow('abort');
});
