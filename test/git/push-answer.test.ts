import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBand, flushPkt } from '../../src/git/pkt-line.ts';
import { refusal, withRemoteLines } from '../../src/git/push-answer.ts';
import { pushEffect } from '../../src/git/push-effect.ts';
import type { PushRequest } from '../../src/git/receive-commands.ts';
import { encodeReport, parseReport } from '../../src/git/report-status.ts';
import { cuts, pieces } from './pieces.ts';

const zero = '0'.repeat(40);
const one = '1'.repeat(40);

const names = fc.stringMatching(/^[a-z/$'"`-]{1,20}$/).map((name) => `refs/heads/${name}`);
const reason = fc.stringMatching(/^[a-z]([a-z ]{0,20}[a-z])?$/);
const outcome = fc.record({ ref: names, reason: fc.option(reason) });

test('a report is read as it was written', async () => {
  const property = fc.asyncProperty(fc.array(outcome), reason, async (refs, unpack) => {
    expect(await parseReport(encodeReport({ unpack, refs }))).toEqual({ unpack, refs });
  });
  await fc.assert(property, { numRuns: 60 });
  expect(await parseReport(Buffer.alloc(0))).toBeNull();
  expect(await parseReport(encodeReport({ unpack: 'ok', refs: [] }).subarray(0, 10))).toBeNull();
});

function requestWith(capabilities: string, refs: readonly string[] = ['refs/heads/a']): PushRequest {
  return {
    commands: refs.map((ref) => ({ ref, before: zero, after: one })),
    capabilities: new Set(capabilities.split(' ')),
    pushOptions: [],
    bytes: new Uint8Array(),
  };
}

async function* lines(...texts: string[]): AsyncGenerator<string> {
  yield* texts;
}

async function text(answer: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(answer)).toString('utf8');
}

describe("the answer with the server's own lines", () => {
  const report = { unpack: 'ok', refs: [{ ref: 'refs/heads/a', reason: null }] };
  const progress = encodeBand(2, 'Resolving deltas\n');
  const gits = Buffer.concat([progress, encodeBand(1, encodeReport(report)), flushPkt]);

  test('keeps progress first, then the report, then the lines, then one flush', async () => {
    const property = fc.asyncProperty(cuts, async (at) => {
      const settle = async (seen: unknown) => {
        expect(seen).toEqual(report);
        return { report, lines: lines('hello\nthere', '') };
      };
      const request = requestWith('report-status side-band-64k');
      const expected = [
        progress,
        encodeBand(1, encodeReport(report)),
        encodeBand(2, 'hello\n'),
        encodeBand(2, 'there\n'),
        encodeBand(2, '\n'),
        flushPkt,
      ];
      expect(await text(withRemoteLines(pieces(gits, at), request, settle))).toBe(
        Buffer.concat(expected).toString(),
      );
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test.each([
    { what: 'nothing at all', bytes: Buffer.alloc(0) },
    { what: 'half a line', bytes: gits.subarray(0, 40) },
    { what: 'half a report', bytes: gits.subarray(0, gits.length - 12) },
  ])('is whole even where git sent $what', async ({ bytes }) => {
    const settle = async (seen: unknown) => {
      expect(seen).toBeNull();
      return { report, lines: lines('hello') };
    };
    const answered = await text(
      withRemoteLines(pieces(bytes, []), requestWith('report-status side-band-64k'), settle),
    );
    expect(answered).toMatch(/ok refs\/heads\/a\n0000[^]*hello\n0000$/);
  });

  test('draws the lines also where nobody sees them', async () => {
    let drawn = false;
    async function* drawing(): AsyncGenerator<string> {
      yield 'unseen';
      drawn = true;
    }
    const settle = async () => ({ report, lines: drawing() });
    const bare = withRemoteLines(pieces(encodeReport(report), []), requestWith('report-status'), settle);
    expect(await text(bare)).toBe(encodeReport(report).toString());
    expect(drawn).toBe(true);
  });

  test.each([
    { capabilities: 'report-status', shape: /^000eunpack ok\n.{4}ng refs\/heads\/a no\n0000$/ },
    {
      capabilities: 'report-status-v2 side-band-64k',
      shape: /^.{5}000eunpack ok\n.*\n0000.{5}why\n0000$/,
    },
    { capabilities: 'side-band-64k', shape: /^.{5}why\n0000$/ },
    { capabilities: 'delete-refs', shape: /^$/ },
  ])('a refusal for a client with $capabilities', async ({ capabilities, shape }) => {
    expect(await text(refusal(requestWith(capabilities), () => 'no', ['why']))).toMatch(shape);
  });
});

describe('what a push did', () => {
  const request = requestWith('report-status', ['refs/heads/a', 'refs/heads/b']);

  test('is what git says of each ref', () => {
    const report = { unpack: 'ok', refs: [{ ref: 'refs/heads/b', reason: null }] };
    const effect = pushEffect(request, report, new Map());
    expect(effect.moved.map(({ ref }) => ref)).toEqual(['refs/heads/b']);
    expect(effect.report.refs[0]?.reason).toBe('git did not say what became of the ref');
  });

  test('is what the refs hold where git said nothing', () => {
    const effect = pushEffect(request, null, new Map([['refs/heads/a', one]]));
    expect(effect.moved.map(({ ref }) => ref)).toEqual(['refs/heads/a']);
    expect(effect.report.refs[1]?.reason).toBe('git ended before it moved the ref');
  });
});
