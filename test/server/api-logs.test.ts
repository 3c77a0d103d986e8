import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveLog } from '../../src/attempt/log.ts';
import type { LogChunk } from '../../src/core/attempt.ts';
import { listAttempts } from '../../src/db/attempts.ts';
import { findLogArchive, insertLogChunk, listLogChunks } from '../../src/db/logs.ts';
import { endRun, storeProject, storeRun, type Home } from '../db/connected.ts';
import { openTestAme, read, refusalOf, type TestAme } from './ame.ts';
import { describeApi, type Described } from './described.ts';

let opened: TestAme;
let api: Described;
let home: Home;

beforeAll(async () => {
  opened = await openTestAme();
  api = await describeApi(opened);
  home = await storeProject(opened.ame);
});

afterAll(() => opened.close());

const at = 1_777_636_800_000;

/** Chunks of these texts, one line each, of which the odd ones come from stderr. */
function chunksOf(texts: readonly string[]): readonly LogChunk[] {
  let offset = 0;
  return texts.map((text, seq) => {
    const bytes = Buffer.from(text);
    const chunk = {
      seq,
      firstLine: seq,
      offset,
      bytes,
      lines: [[seq % 2 === 0 ? 1 : 2, at + seq, bytes.byteLength]] as const,
    } satisfies LogChunk;
    offset += bytes.byteLength;
    return chunk;
  });
}

/** A run whose first attempt has printed these chunks. */
async function attemptWith(texts: readonly string[]): Promise<{ run: number; attempt: number }> {
  const run = await storeRun(opened.ame, home);
  const [first] = await listAttempts(opened.ame.db, run.id);
  const attempt = first?.id ?? 0;
  for (const chunk of chunksOf(texts)) await insertLogChunk(opened.ame.db, attempt, chunk);
  return { run: run.id, attempt };
}

async function archive(attempt: number): Promise<void> {
  const { db, storage, temporary } = opened.ame;
  await archiveLog({ db, storage, temporary }, { id: attempt, repositoryId: home.repositoryId });
}

const texts = [
  'first line\n',
  'ærø 🌬\n',
  'x'.repeat(5_000),
  '\n',
  ...Array.from({ length: 40 }, (_, n) => `${n}\n`),
];
const whole = Buffer.from(texts.join(''));

describe.each(['as rows', 'as one blob'])('the log %s', (kind) => {
  let attempt: number;

  beforeAll(async () => {
    const stored = await attemptWith(texts);
    attempt = stored.attempt;
    await endRun(opened.ame, stored.run, 'succeeded');
    if (kind === 'as one blob') await archive(attempt);
  });

  test('is read whole', async () => {
    const answer = await api.ask(`/api/v1/attempts/${attempt}/log`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe(String(whole.byteLength));
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Buffer.from(await answer.arrayBuffer()).equals(whole)).toBe(true);
  });

  test('is read in any part', async () => {
    const part = fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(whole.byteLength + 10));
    await fc.assert(
      fc.asyncProperty(part, async ([from, length]) => {
        const last = from + length;
        const to = Math.min(last, whole.byteLength - 1);
        const answer = await api.ask(`/api/v1/attempts/${attempt}/log`, {
          headers: { range: `bytes=${from}-${last}` },
        });
        expect(answer.status).toBe(206);
        expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${to}/${whole.byteLength}`);
        expect(Buffer.from(await answer.arrayBuffer()).equals(whole.subarray(from, to + 1))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test.each<readonly [string, number, number]>([
    ['bytes=0-0', 0, 1],
    ['bytes=5070-', 5_070, whole.byteLength],
    ['bytes=-7', whole.byteLength - 7, whole.byteLength],
    ['bytes=-999999999', 0, whole.byteLength],
  ])('is read by %s', async (range, from, to) => {
    const answer = await api.ask(`/api/v1/attempts/${attempt}/log`, { headers: { range } });
    expect(answer.status).toBe(206);
    expect(Buffer.from(await answer.arrayBuffer()).equals(whole.subarray(from, to))).toBe(true);
  });

  test.each(['bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=a-b', ''])(
    'is read whole where %j is asked',
    async (range) => {
      const answer = await api.ask(`/api/v1/attempts/${attempt}/log`, { headers: { range } });
      expect(answer.status).toBe(200);
    },
  );

  test.each([`bytes=${whole.byteLength}-`, 'bytes=99999999999999999999-', 'bytes=7-5', 'bytes=-0'])(
    'has no part %s',
    async (range) => {
      const answer = await api.ask(`/api/v1/attempts/${attempt}/log`, { headers: { range } });
      expect(answer.headers.get('content-range')).toBe(`bytes */${whole.byteLength}`);
      expect(await refusalOf(answer)).toEqual([416, 'range']);
    },
  );

  test('says its size without its content', async () => {
    const answer = await opened.ask(`/api/v1/attempts/${attempt}/log`, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe(String(whole.byteLength));
    expect(await answer.text()).toBe('');
    const followed = await opened.ask(`/api/v1/attempts/${attempt}/log/events`, { method: 'HEAD' });
    expect([followed.status, await followed.text()]).toEqual([200, '']);
  });

  test('is followed from any byte, in the middle of a chunk too, to its end', async () => {
    const offsets = [0, 1, 11, 13, 14, 2_000, 5_022, whole.byteLength - 1, whole.byteLength];
    for (const offset of offsets) {
      const events = await followed(attempt, { 'last-event-id': String(offset) });
      const logs = events.filter(({ event }) => event === 'log');
      const bytes = Buffer.concat(logs.map(({ data }) => Buffer.from(data.bytes ?? '', 'base64')));
      expect(bytes.equals(whole.subarray(offset)), `from ${offset}`).toBe(true);
      expect(logs[0]?.data.offset ?? offset).toBe(offset);
      for (const [index, { id, data }] of logs.entries()) {
        const length = Buffer.from(data.bytes ?? '', 'base64').byteLength;
        // The lines are those of the whole chunk, of which so many bytes are left out.
        expect(data.lines?.reduce((sum, [, , size]) => sum + size, 0)).toBe(length + (data.skipped ?? 0));
        expect(Number(id)).toBe((data.offset ?? 0) + length);
        expect(logs[index + 1]?.data.offset ?? Number(id)).toBe(Number(id));
      }
      expect(events.at(-1)).toEqual({
        event: 'end',
        id: String(whole.byteLength),
        data: { bytes: whole.byteLength },
      });
    }
  });

  test.each([1, 1_000_000])(
    'is not followed from a place that it does not have: %s past its end',
    async (past) => {
      const events = await followed(attempt, {}, `?offset=${whole.byteLength + past}`);
      expect(events).toEqual([
        { event: 'end', id: String(whole.byteLength), data: { bytes: whole.byteLength } },
      ]);
    },
  );

  test('is followed from the address where the browser has no event yet, and from the start by nonsense', async () => {
    const count = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await followed(attempt, headers, path)).filter(({ event }) => event === 'log').length;
    expect(await count('?offset=0')).toBe(texts.length);
    expect(await count(`?offset=${whole.byteLength - 3}`)).toBe(1);
    expect(await count('?offset=0', { 'last-event-id': String(whole.byteLength - 3) })).toBe(1);
    expect(await count('?offset=-5')).toBe(texts.length);
    expect(await count('?offset=x', { 'last-event-id': '1e3' })).toBe(texts.length);
  });
});

type LogEvent = {
  readonly event: string;
  readonly id: string;
  readonly data: {
    readonly offset?: number;
    readonly bytes?: string;
    readonly skipped?: number;
    readonly lines?: readonly (readonly [number, number, number])[];
  };
};

function parseEvent(text: string): LogEvent {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const data: LogEvent['data'] = JSON.parse(fields.get('data') ?? '{}');
  return { event: fields.get('event') ?? '', id: fields.get('id') ?? '', data };
}

async function followed(
  attempt: number,
  headers: Record<string, string>,
  query = '',
): Promise<readonly LogEvent[]> {
  const answer = await api.ask(`/api/v1/attempts/${attempt}/log/events${query}`, { headers });
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const text = await answer.text();
  return text
    .split('\n\n')
    .filter((part) => part !== '')
    .map(parseEvent);
}

test('a log is archived once, and its rows go', async () => {
  const { run, attempt } = await attemptWith(texts);
  await endRun(opened.ame, run, 'succeeded');
  await archive(attempt);
  const before = await findLogArchive(opened.ame.db, attempt);
  await archive(attempt);
  expect(before).toMatchObject({ bytes: whole.byteLength, lines: texts.length });
  expect(await findLogArchive(opened.ame.db, attempt)).toEqual(before);
  expect(await listLogChunks(opened.ame.db, attempt, { offset: 0, limit: 1 })).toEqual([]);
});

test('a log that grows is followed as it grows, until its attempt is over', async () => {
  const [one, two] = chunksOf(['one\n', 'two\n']);
  const { run, attempt } = await attemptWith(['one\n']);
  const answer = await opened.ask(`/api/v1/attempts/${attempt}/log/events`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const until = async (word: string): Promise<void> => {
    while (!text.includes(word)) {
      const part = await reader?.read();
      if (!part || part.done) throw new Error(`the stream ended before ${word}`);
      text += part.value;
    }
  };
  await until('id: 4');
  if (one && two) await insertLogChunk(opened.ame.db, attempt, two);
  opened.ame.hints.say(`log:${attempt}`);
  await until('id: 8');
  await endRun(opened.ame, run, 'succeeded');
  opened.ame.hints.say(`log:${attempt}`);
  await until('event: end');
  expect(await reader?.read()).toMatchObject({ done: true });
});

test('a log without a byte is empty, and has no part', async () => {
  const { run, attempt } = await attemptWith([]);
  const answer = await api.ask(`/api/v1/attempts/${attempt}/log`);
  expect([answer.status, await answer.text(), answer.headers.get('content-length')]).toEqual([200, '', '0']);
  const part = await api.ask(`/api/v1/attempts/${attempt}/log`, { headers: { range: 'bytes=0-' } });
  expect(await refusalOf(part)).toEqual([416, 'range']);
  await endRun(opened.ame, run, 'succeeded');
  expect(await followed(attempt, {})).toEqual([{ event: 'end', id: '0', data: { bytes: 0 } }]);
});

test('what was taken over from an earlier run has its log there', async () => {
  const { run, attempt } = await attemptWith(['kept\n']);
  await opened.ame.db.pool.query(
    `update attempts set state = 'succeeded', class = 'succeeded', finished_at = now(), output = repeat('a', 64) where id = $1`,
    [attempt],
  );
  await endRun(opened.ame, run, 'failed');
  const retry = await read<{ id: number }>(await opened.ask(`/api/v1/runs/${run}/retry`, { method: 'POST' }));
  const [taken] = await listAttempts(opened.ame.db, retry.id);
  expect(taken?.reusedFrom).toBe(attempt);
  expect(await (await api.ask(`/api/v1/attempts/${taken?.id}/log`)).text()).toBe('kept\n');
  expect(await followed(taken?.id ?? 0, {})).toHaveLength(2);
});

test('no attempt has no log', async () => {
  for (const id of ['999999', '0', 'x', '-1', '99999999999999999999', '1%00', '1.5']) {
    for (const path of ['log', 'log/events']) {
      expect(await refusalOf(await api.ask(`/api/v1/attempts/${id}/${path}`))).toEqual([
        404,
        'attempt-unknown',
      ]);
    }
  }
});
