import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { isFinal } from '../../core/run.ts';
import { counted } from '../../core/problems/wording.ts';
import { readLogChunks, readLogSize } from '../../attempt/log.ts';
import type { Context as Ame } from '../../context.ts';
import { findAttempt } from '../../db/attempts.ts';
import { describeError } from '../../log.ts';
import { parseRange } from './range.ts';
import { rangeHeader, rangeResponses } from './params.ts';
import { refuse } from './refuse.ts';
import { createRoutes } from './routes.ts';
import { idParam, notFound } from './runs.ts';

/** Chunks of one look, 4 MiB at most: what a slow reader makes the server hold. */
const chunksAtOnce = 16;
/** Milliseconds between two looks without a hint. */
const pollMs = 1_000;

const log = createRoute({
  method: 'get',
  path: '/attempts/{id}/log',
  summary: 'The log of an attempt, or a range of its bytes',
  request: { params: idParam, headers: rangeHeader },
  responses: { ...rangeResponses('text/plain', 'The bytes as they are stored'), ...notFound },
});

const events = createRoute({
  method: 'get',
  path: '/attempts/{id}/log/events',
  summary: 'The log of an attempt as it grows, as server-sent events',
  request: {
    params: idParam,
    query: z.object({
      offset: z.string().optional().openapi({ description: 'First byte; `Last-Event-ID` wins' }),
    }),
  },
  responses: {
    200: {
      description: 'Events `log` with offset, bytes (base64), lines and skipped, then one `end`',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...notFound,
  },
});

/**
 * `GET /attempts/{id}/log`: the bytes of a log, or a range of them. `GET /attempts/{id}/log/events`: the log as it
 * grows, as server-sent events. Each event is `log` with `{offset, bytes (base64), lines}` and the offset after it
 * as its id, so that `Last-Event-ID`, or `?offset=`, resumes to the byte; the last one is `end`.
 */
export function createLogRoutes(ame: Ame) {
  const { db, hints } = ame;
  const idOf = async (text: string): Promise<number> => {
    const attempt = /^\d{1,15}$/.test(text) ? await findAttempt(db, Number(text)) : undefined;
    if (!attempt) throw refuse(404, 'attempt-unknown', `there is no attempt with the id ${text}`);
    // What was taken over from an earlier run has its log there.
    return attempt.reusedFrom ?? attempt.id;
  };
  const routes = createRoutes();
  // Described, not checked by their description: an id that is none is nothing that there is.
  routes.openAPIRegistry.registerPath(log);
  routes.openAPIRegistry.registerPath(events);
  return routes
    .get('/attempts/:id/log', async (c) => {
      const id = await idOf(c.req.param('id'));
      const { bytes: size } = await readLogSize(ame, id);
      const range = parseRange(c.req.header('range'), size);
      if (range === 'unsatisfiable')
        throw refuse(416, 'range', `the log has ${counted(size, 'byte')}`, {
          'content-range': `bytes */${size}`,
        });
      const { from, to } = range ?? { from: 0, to: size - 1 };
      const headers = {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': String(to - from + 1),
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        ...(range ? { 'content-range': `bytes ${from}-${to}/${size}` } : {}),
      };
      const body = ReadableStream.from(logBytes(ame, id, from, to + 1));
      return c.body(body, range ? 206 : 200, headers);
    })
    .get('/attempts/:id/log/events', async (c) => {
      const id = await idOf(c.req.param('id'));
      // Nobody reads the body of a HEAD, and its stream would be filled until the attempt is over.
      if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
      const resume = c.req.header('last-event-id') ?? c.req.query('offset') ?? '0';
      // What lies behind the end was never printed: it is not repeated as if it were a place in the log.
      const { bytes: size } = await readLogSize(ame, id);
      let offset = /^\d{1,15}$/.test(resume) ? Math.min(Number(resume), size) : 0;
      const follow = async (stream: SSEStreamingApi): Promise<void> => {
        const gone = new AbortController();
        stream.onAbort(() => gone.abort());
        while (!gone.signal.aborted) {
          const heard = hints.wait(`log:${id}`, pollMs, gone.signal);
          // Read before the log is: what ends after this look is seen by the next one.
          const over = isFinal((await findAttempt(db, id))?.state ?? 'failed');
          const chunks = await readLogChunks(ame, id, { offset, limit: chunksAtOnce });
          for (const chunk of chunks) {
            const skip = Math.max(0, offset - chunk.offset);
            offset = chunk.offset + chunk.bytes.byteLength;
            const bytes = Buffer.from(chunk.bytes.subarray(skip)).toString('base64');
            const data = JSON.stringify({
              offset: chunk.offset + skip,
              bytes,
              lines: chunk.lines,
              skipped: skip,
            });
            await stream.writeSSE({ event: 'log', id: String(offset), data });
          }
          if (over && chunks.length < chunksAtOnce) {
            await stream.writeSSE({
              event: 'end',
              id: String(offset),
              data: JSON.stringify({ bytes: offset }),
            });
            return;
          }
          if (chunks.length === 0) await heard;
        }
      };
      return streamSSE(c, async (stream) => {
        try {
          await follow(stream);
        } catch (error) {
          // Without the last event the reader asks again for what is missing. The library would print it past the log.
          ame.log.warn({ attempt: id, error: describeError(error) }, 'reading of a log broke off');
        }
      });
    });
}

async function* logBytes(ame: Ame, id: number, from: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < end;) {
    const chunks = await readLogChunks(ame, id, { offset: at, limit: chunksAtOnce });
    if (chunks.length === 0) return;
    for (const chunk of chunks) {
      const part = chunk.bytes.subarray(Math.max(0, at - chunk.offset), Math.max(0, end - chunk.offset));
      at = chunk.offset + chunk.bytes.byteLength;
      if (part.byteLength > 0) yield new Uint8Array(part);
      if (at >= end) return;
    }
  }
}
