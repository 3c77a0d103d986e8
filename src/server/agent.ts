import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { z } from 'zod';
import { verifyAttemptToken } from '../attempt/token.ts';
import type { AttemptDoor, AttemptInput } from '../core/attempt.ts';
import {
  decodeLogChunk,
  doorLimits,
  type ConfirmAnswer,
  type DoorLimits,
  type MissingAnswer,
  type SignedReadsAnswer,
  type SignedWritesAnswer,
} from '../core/door-wire.ts';
import { isDigest, type Digest } from '../core/snapshot.ts';
import { describeError, type Log } from '../log.ts';
import { boundBody, readAll, systemBodyClock, type BodyClock, type BoundedBody } from './agent/body.ts';
import { createLongAnswers } from './agent/long-answer.ts';
import { answerTo, later, NotValidError, refuse } from './agent/refusals.ts';
import { reportShape } from './agent/report-shape.ts';
import { confirmShape, missingShape, signedShape, startedShape } from './agent/shapes.ts';

export type AgentDoorDeps = {
  readonly door: AttemptDoor;
  /** What tokens of attempts are made with. */
  readonly ownKey: Uint8Array;
  readonly log: Log;
  readonly clock?: BodyClock;
  readonly limits?: Partial<DoorLimits>;
};

/** The bindings are there where a socket is: a test may call the door without one. */
type Env = { Bindings: Partial<HttpBindings>; Variables: { attempt: number } };

const base = '/agent/v1/attempts/:id';
/** A signed address is a key, if only for minutes. */
const always = { 'cache-control': 'no-store' };

/**
 * `/agent/v1/attempts/{id}/…`: the agent's door for pods. Each call of `AttemptDoor` has its path; every one of
 * them may be repeated, because an agent that got no answer cannot know whether it was heard. Asks for the token of
 * that very attempt. To be mounted before the rules for browsers: pods name the server as they like.
 */
export function createAgentDoor(deps: AgentDoorDeps): Hono<Env> {
  const { door, ownKey, log, clock = systemBodyClock } = deps;
  const limits = { ...doorLimits, ...deps.limits };
  /** The first task of a commit has it imported first, which takes minutes where it is large. */
  const inputs = createLongAnswers<AttemptInput>(clock);
  const app = new Hono<Env>();

  app.onError((error, c) => {
    const answer = answerTo(error);
    // Who sends a body and hangs up hears nothing any more; and what failed for that alone is no failure of ours.
    if (answer.status >= 500 && !c.req.raw.signal.aborted)
      log[answer.status === 503 ? 'warn' : 'error'](
        { path: c.req.path, error: describeError(error) },
        'the agent’s request failed',
      );
    return answer;
  });

  app.use(`${base}/*`, async (c, next) => {
    const [, token = ''] = /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    const attempt = verifyAttemptToken(ownKey, token);
    if (attempt === null) return refuse(401, 'token-needed', 'the token of the attempt is needed');
    if (c.req.param('id') !== String(attempt))
      return refuse(403, 'token-foreign', 'the token is that of another attempt');
    c.set('attempt', attempt);
    await next();
    return undefined;
  });

  /** What comes of a body of at most so many bytes. A refusal of ours wins over what its reader made of it. */
  async function withBody<T>(c: Context<Env>, most: number, use: (body: BoundedBody) => Promise<T>) {
    const body = boundBody(c.req.raw.body, { most, clock });
    if (Number(c.req.header('content-length') ?? 0) > most)
      return refuse(413, 'too-large', `the body has more than ${most} bytes`);
    try {
      return await use(body);
    } catch (error) {
      throw body.refused() ?? error;
    }
  }

  app.get(`${base}/input`, async (c) => {
    const attempt = c.get('attempt');
    const input = await inputs(attempt, () => door.input(attempt));
    if (input === null)
      return refuse(503, 'being-prepared', 'its workspace is being put together; ask again', later);
    return c.json(input, 200, always);
  });

  app.get(`${base}/blobs/:digest`, async (c) => {
    const digest = digestOf(c);
    const attempt = c.get('attempt');
    const headers = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' };
    if (c.req.method === 'HEAD') {
      const missing = (await door.missingBlobs(attempt, [digest])).has(digest);
      return new Response(null, { status: missing ? 404 : 200, headers });
    }
    const from = c.req.query('from') ?? '0';
    if (!/^\d{1,15}$/.test(from)) throw new NotValidError('from is not a number of bytes');
    const content = await door.readBlob(attempt, digest, Number(from));
    return new Response(cutOnFailure(content, c, log), { headers });
  });

  app.put(`${base}/blobs/:digest`, (c) =>
    withBody(c, limits.blob, async ({ stream }) => {
      await door.writeBlob(c.get('attempt'), digestOf(c), stream);
      return done();
    }),
  );

  app.post(`${base}/missing`, (c) =>
    withBody(c, limits.json, async ({ stream }) => {
      const { digests } = parse(missingShape, await readAll(stream));
      if (digests.length > limits.digests)
        return refuse(413, 'too-large', `more than ${limits.digests} digests in one question`);
      const missing = await door.missingBlobs(c.get('attempt'), digests);
      return c.json({ missing: [...missing] } satisfies MissingAnswer);
    }),
  );

  app.post(`${base}/signed/reads`, (c) =>
    withBody(c, limits.json, async ({ stream }) => {
      const { digests } = parse(signedShape, await readAll(stream));
      const found = (await door.signed?.reads(c.get('attempt'), digests)) ?? null;
      const reads = found && [...found].map(([digest, url]) => ({ digest, url }));
      return c.json({ reads } satisfies SignedReadsAnswer, 200, always);
    }),
  );

  app.post(`${base}/signed/writes`, (c) =>
    withBody(c, limits.json, async ({ stream }) => {
      const { digests } = parse(signedShape, await readAll(stream));
      const found = (await door.signed?.writes(c.get('attempt'), digests)) ?? null;
      const writes = found && [...found].map(([digest, write]) => ({ digest, ...write }));
      return c.json({ writes } satisfies SignedWritesAnswer, 200, always);
    }),
  );

  app.post(`${base}/signed/confirmed`, (c) =>
    withBody(c, limits.json, async ({ stream }) => {
      const { uploads } = parse(confirmShape, await readAll(stream));
      const refused = await door.signed?.confirm(c.get('attempt'), uploads);
      const none = uploads.map(({ digest }) => digest);
      return c.json({ refused: [...(refused ?? none)] } satisfies ConfirmAnswer, 200, always);
    }),
  );

  app.put(`${base}/started`, (c) =>
    withBody(c, limits.json, async ({ stream }) => {
      const { at } = parse(startedShape, await readAll(stream));
      await door.started(c.get('attempt'), at);
      return done();
    }),
  );

  app.put(`${base}/log/:seq`, (c) =>
    withBody(c, limits.logBody, async ({ stream }) => {
      const seq = c.req.param('seq');
      const chunk = /^\d{1,9}$/.test(seq) ? decodeLogChunk(Number(seq), await readAll(stream)) : null;
      if (chunk === null) throw new NotValidError('this is no chunk of a log');
      await door.appendLog(c.get('attempt'), chunk);
      return done();
    }),
  );

  app.put(`${base}/report`, (c) =>
    withBody(c, limits.report, async ({ stream }) => {
      await door.finish(c.get('attempt'), parse(reportShape, await readAll(stream)));
      return done();
    }),
  );

  app.all('/agent/*', () => refuse(404, 'not-found', 'the agent’s door has nothing here'));
  return app;
}

function done(): Response {
  return new Response(null, { status: 204 });
}

function digestOf(c: Context<Env>): Digest {
  const digest = c.req.param('digest') ?? '';
  if (!isDigest(digest)) throw new NotValidError('this is no digest');
  return digest;
}

/** Says nothing of what was wrong with which value: a body may hold what nobody should read in a log. */
function parse<T>(shape: z.ZodType<T>, bytes: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new NotValidError('the body is not JSON');
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new NotValidError(`the body is not what it should be${where === '' ? '' : `, at ${where}`}`);
}

/**
 * Content that fails on its way cuts the connection: the server library would otherwise end the answer in good
 * order, with the error's text behind half of the content.
 */
function cutOnFailure(
  content: ReadableStream<Uint8Array>,
  c: Context<Env>,
  log: Log,
): ReadableStream<Uint8Array> {
  const reader = content.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done: ended, value } = await reader.read();
          if (ended) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          const outgoing = c.env?.outgoing;
          if (outgoing === undefined) throw error;
          log.error({ path: c.req.path, error: describeError(error) }, 'content broke off');
          outgoing.destroy();
          // Said once, in the log: the server library would print an error once more.
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
