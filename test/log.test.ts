import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect } from '../src/db/connect.ts';
import { briefError, createLog, describeError } from '../src/log.ts';
import { createTestDatabase } from './database.ts';

/** What a logger writes, as the objects of its lines. */
function memoryLog(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(level, { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}

test('a line is one object with a time, its fields and its words', () => {
  const { log, lines } = memoryLog();
  log.debug('not said');
  log.info({ run: 7, loop: 'runs' }, 'attempt');
  expect(lines).toEqual([
    {
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      run: 7,
      loop: 'runs',
      msg: 'attempt',
    },
  ]);
});

test('tokens and passwords are not written', () => {
  const { log, lines } = memoryLog();
  const said = 'opensesame';
  log.info(
    {
      token: said,
      authorization: said,
      password: said,
      request: { token: said, authorization: said, password: said },
      error: new Error(`cannot reach postgres://ame:${said}@127.0.0.1/ame`),
    },
    'look',
  );
  expect(JSON.stringify(lines)).not.toContain(said);
});

test('an error is told with its trace and its causes, without what libraries hang on it', () => {
  const root = Object.assign(new TypeError('no route'), { client: { password: 'opensesame' } });
  const error = new Error('look failed', { cause: new Error('not connected', { cause: root }) });
  const text = describeError(error);
  expect(text).toMatch(/^Error: look failed\n +at .*log\.test\.ts/);
  expect(text).toMatch(/\ncaused by Error: not connected\ncaused by TypeError: no route$/);
  expect(text).not.toContain('opensesame');
  expect(briefError(error)).toBe('Error: look failed; Error: not connected; TypeError: no route');
});

test('causes in a circle come to an end', () => {
  const error = new Error('a');
  error.cause = new Error('b', { cause: error });
  expect(briefError(error)).toBe('Error: a; Error: b; Error: a; Error: b; Error: a');
});

test('of several addresses that refuse at least the code is told', () => {
  const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(briefError(error)).toBe('AggregateError: ECONNREFUSED');
  expect(describeError(error)).toBe('AggregateError: ECONNREFUSED');
});

test('anything that is thrown has a text', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const thrown of ['text', 7, null, undefined, { a: 1 }, circle, 1n, Symbol('s'), () => 1]) {
    expect(typeof describeError(thrown)).toBe('string');
    expect(typeof briefError(thrown)).toBe('string');
  }
  expect(describeError('text')).toBe('text');
  expect(describeError({ a: 1 })).toBe('{"a":1}');
});

test('a failed query is told without its values', async () => {
  await using database = await createTestDatabase();
  const db = connect({ url: database.url });
  const secret = 'what a task printed\n    at a line that looks like a trace';
  const error: unknown = await db.orm
    .execute(sql`insert into heads (ref) values (${secret})`)
    .catch((caught: unknown) => caught);
  await db.close();
  expect(describeError(error)).toContain('Failed query: insert into heads (ref) values ($1)');
  expect(describeError(error)).toContain('null value in column "repository_id"');
  expect(describeError(error)).not.toContain('printed');
  expect(describeError(error)).toMatch(/\n +at /);
  expect(briefError(error)).toMatch(/^error: null value in column "repository_id"[^;]*$/);
});

test('what stands in a row is short', () => {
  expect(briefError(new Error('x'.repeat(10_000)))).toHaveLength(2_000);
});

const scheme = fc.constantFrom('postgres', 'http', 'HTTPS', 's3', 'git+ssh', 'redis');
const user = fc.stringMatching(/^[a-z0-9._-]{0,8}$/);
const password = fc.stringMatching(/^[a-zA-Z0-9!$&'()*+,;=._~:@/?#-]{1,20}$/).map((text) => `=S=${text}=S=`);

test('no password of an address is ever told', () => {
  fc.assert(
    fc.property(scheme, user, password, (one, name, secret) => {
      const text = `cannot reach ${one}://${name}:${secret}@host:5432/db today`;
      expect(describeError(text)).toBe(`cannot reach ${one}://${name}:[redacted]@host:5432/db today`);
    }),
  );
});

test('a token in an address is not told, and plain addresses stay as they are', () => {
  expect(describeError('GET http://127.0.0.1:8080/runs/1?a=b&token=abc&c=d failed')).toBe(
    'GET http://127.0.0.1:8080/runs/1?a=b&token=[redacted]&c=d failed',
  );
  for (const text of [
    'see http://127.0.0.1:8080/runs/1',
    'ada@example.com wrote',
    'https://example.com/a:b',
  ]) {
    expect(describeError(text)).toBe(text);
  }
});
