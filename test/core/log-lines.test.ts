import { expect, test } from 'vitest';
import { createLogLines, logLimits } from '../../src/core/log-lines.ts';

const utf8 = new TextEncoder();

test('lines of two streams never mix', () => {
  const lines = createLogLines();
  lines.push(1, utf8.encode('one '), 10);
  lines.push(2, utf8.encode('two\n'), 20);
  lines.push(1, utf8.encode('three\n'), 30);
  const chunk = lines.take(true);
  expect(chunk?.lines).toEqual([
    [2, 20, 4],
    [1, 30, 10],
  ]);
  expect(new TextDecoder().decode(chunk?.bytes)).toBe('two\none three\n');
  expect(lines.take(true)).toBeNull();
});

test('only what has waited long enough is broken', () => {
  const lines = createLogLines();
  lines.push(1, utf8.encode('early'), 10);
  lines.push(2, utf8.encode('late'), 500);
  expect(lines.waitingSince).toBe(10);
  lines.breakLines(10, 1_010);
  expect(lines.take(true)?.lines).toEqual([[1, 1_010, 5]]);
  expect(lines.waitingSince).toBe(500);
});

test('a line longer than any piece comes in pieces, and short lines fill chunks only so far', () => {
  const lines = createLogLines();
  lines.push(1, utf8.encode(`${'x'.repeat(150_000)}\n`), 1);
  expect(lines.take(true)?.lines.map(([, , length]) => length)).toEqual([65_536, 65_536, 18_929]);
  lines.push(1, utf8.encode('\n'.repeat(logLimits.lines + 1)), 1);
  expect(lines.take(false)?.lines).toHaveLength(logLimits.lines);
  expect(lines.take(false)).toBeNull();
  expect(lines.take(true)).toMatchObject({
    seq: 2,
    firstLine: 3 + logLimits.lines,
    offset: 150_001 + logLimits.lines,
  });
});
