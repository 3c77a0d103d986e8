import { runInNewContext, Script } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogChunk } from '../../src/core/attempt.ts';
import { showDuration } from '../../src/core/check/amounts.ts';
import { createLogLines, type LogStream } from '../../src/core/log-lines.ts';
import { browserLive } from '../../src/server/page/browser-live.ts';
import { browserText } from '../../src/server/page/browser-text.ts';
import { joinLines } from '../../src/server/page/log-tail.ts';
import { elapsed, logText, longestLine } from '../../src/server/page/log-text.ts';

/** The functions of the page's script as a browser has them. */
const browser = runInNewContext(`${browserText}; ({ logText, elapsed, duration })`) as {
  readonly logText: (line: string) => string;
  readonly elapsed: (milliseconds: number) => string;
  readonly duration: (seconds: number) => string;
};

const escapes = ['\x1b[', '\x1b]', '31m', '0;', '\x07', '\x1b\\', '\x1bP', '\x9b', '\r', '\n', '\t'];
const texts = ['\u202e', '\u200b', '\u2028', 'a', 'é', '👩‍🔬', '<b>', '&', 'K', '\x00', '\ud800'];
const pieces = fc.constantFrom(...escapes, ...texts);
const lines = fc.oneof(
  fc.array(pieces).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);

describe('a line of a log', () => {
  test.each([
    ['plain', 'plain'],
    ['\x1b[1;31mred\x1b[0m and \x1b[38;5;12mblue\x1b[K\n', 'red and blue'],
    ['\x1b]0;a title\x07after', 'after'],
    ['\x1b]8;;http://example.com\x1b\\a link\x1b]8;;\x1b\\', 'a link'],
    ['\x1b]0;without an end', '0;without an end'],
    ['10%\r50%\r100%\r\n', '100%'],
    ['windows\r\n', 'windows'],
    ['\r\r\n', ''],
    ['a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['bell\x07 nul\x00', 'bell\\x07 nul\\x00'],
    ['\ttab', '\ttab'],
    ['x'.repeat(2 * longestLine), 'x'.repeat(longestLine)],
  ])('%j is shown as %j', (line, shown) => {
    expect(logText(line)).toBe(shown);
  });

  test('never acts on what reads it, and is the same in the browser', () => {
    fc.assert(
      fc.property(lines, (line) => {
        const shown = logText(line);
        expect(shown).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u);
        expect(browser.logText(line)).toBe(shown);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['\r', '\x1b[', '\x1b]', '\x1b[1;', '\x9b0', '\x1bP'])(
    'many of %j cost no more than their length',
    (part) => {
      // With one step for each pair of characters this would take longer than a test may.
      const line = `${part.repeat(2_000_000)}x`;
      expect(logText(line).length).toBeLessThanOrEqual(8 * longestLine);
    },
  );
});

describe('lines of chunks', () => {
  function chunksOf(parts: readonly (readonly [LogStream, string])[], partial = true): readonly LogChunk[] {
    const log = createLogLines({ chunk: 16, lines: 3, total: 10_000 });
    for (const [stream, text] of parts) log.push(stream, new TextEncoder().encode(text), 1_000);
    if (partial) log.breakLines(2_000, 2_000);
    const chunks: LogChunk[] = [];
    for (let chunk = log.take(true); chunk !== null; chunk = log.take(true)) chunks.push(chunk);
    return chunks;
  }

  test('a line that came in pieces is one line, also where another stream spoke in between', () => {
    const chunks = chunksOf([
      [1, 'one and a line that is longer than a chunk'],
      [2, 'error\n'],
      [1, ' ends\ntwo\n'],
      [1, 'open'],
    ]);
    expect(joinLines(chunks).map(({ stream, text, open }) => [stream, text, open])).toEqual([
      [1, 'one and a line that is longer than a chunk ends', false],
      [2, 'error', false],
      [1, 'two', false],
      [1, 'open', true],
    ]);
  });

  test('a character that two chunks share is whole', () => {
    const text = 'é'.repeat(40);
    expect(joinLines(chunksOf([[1, `x${text}\n`]])).map((line) => line.text)).toEqual([`x${text}`]);
  });
});

test('times are said in the browser as on the server', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 400_000, noNaN: true }), (seconds) => {
      expect(browser.duration(seconds)).toBe(showDuration(seconds));
      expect(browser.elapsed(seconds * 1_000)).toBe(elapsed(seconds * 1_000));
    }),
  );
  expect([elapsed(0), elapsed(61_000), elapsed(3_723_000)]).toEqual(['0:00', '1:01', '1:02:03']);
});

test('the script of the page is one that a browser can read', () => {
  expect(() => new Script(browserText + browserLive)).not.toThrow();
  // It stands within a script element, which this would end.
  expect(browserText + browserLive).not.toMatch(/<\/script|<!--/i);
});
