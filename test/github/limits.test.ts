import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockedUntil, createLimits, limitStates, noteAnswer } from '../../src/github/limits.ts';

const now = new Date('2026-03-01T12:00:00Z');
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const epoch = (time: Date): string => String(Math.floor(time.getTime() / 1000));

type Said = { readonly status: number; readonly headers?: Record<string, string>; readonly message?: string };

function answer({ status, headers = {}, message = '' }: Said): Parameters<typeof noteAnswer>[3] {
  return { status, header: (name) => headers[name] ?? null, message };
}

const spent = (reset: Date): Record<string, string> => ({
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': epoch(reset),
});

describe('what is a limit, and until when', () => {
  const cases: readonly (readonly [string, Said, Date | null])[] = [
    ['success', { status: 200 }, null],
    ['a permission', { status: 403, message: 'Resource not accessible by integration' }, null],
    ['nothing found', { status: 404, headers: spent(after(10)) }, null],
    ['the hourly limit, 403', { status: 403, headers: spent(after(900)) }, after(900)],
    ['the hourly limit, 429', { status: 429, headers: spent(after(900)) }, after(900)],
    ['a time that is over', { status: 403, headers: spent(after(-5)) }, after(60)],
    ['Retry-After', { status: 403, headers: { 'retry-after': '7' } }, after(7)],
    ['Retry-After of nothing', { status: 429, headers: { 'retry-after': '0' } }, after(1)],
    ['an unreadable Retry-After', { status: 429, headers: { 'retry-after': 'soon' } }, after(60)],
    [
      'Retry-After before the reset',
      { status: 403, headers: { ...spent(after(900)), 'retry-after': '7' } },
      after(7),
    ],
    ['the secondary limit', { status: 403, message: 'You have exceeded a secondary rate limit.' }, after(60)],
    ['its old name', { status: 403, message: 'You have triggered an abuse detection mechanism.' }, after(60)],
    ['429 without a word', { status: 429 }, after(60)],
  ];
  test.each(cases)('%s', (_, said, until) => {
    expect(noteAnswer(createLimits(), '1', 'core', answer(said), now)).toEqual(until);
  });
});

test('the pause without a time doubles up to an hour, and a success ends the row', () => {
  const limits = createLimits();
  const secondary = answer({ status: 403, message: 'secondary rate limit' });
  const pauses = Array.from({ length: 8 }, () => noteAnswer(limits, '1', 'core', secondary, now));
  expect(pauses).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600].map(after));
  expect(noteAnswer(limits, '1', 'core', answer({ status: 200 }), now)).toBeNull();
  expect(noteAnswer(limits, '1', 'core', secondary, now)).toEqual(after(60));
});

test('the last call of an hour blocks its resource, before another is refused', () => {
  const limits = createLimits();
  noteAnswer(limits, '1', 'core', answer({ status: 200, headers: spent(after(30)) }), now);
  expect(blockedUntil(limits, '1', 'core', now)).toEqual(after(30));
  expect(blockedUntil(limits, '1', 'core', after(30))).toBeNull();
  expect(blockedUntil(limits, '1', 'graphql', now)).toBeNull();
  expect(limitStates(limits, now)).toEqual([
    { installationId: '1', resource: 'core', remaining: 0, resetAt: after(30), blockedUntil: after(30) },
  ]);
});

test('the secondary limit blocks every resource of the installation', () => {
  const limits = createLimits();
  noteAnswer(limits, '1', 'graphql', answer({ status: 429, headers: { 'retry-after': '9' } }), now);
  expect(blockedUntil(limits, '1', 'core', now)).toEqual(after(9));
  expect(blockedUntil(limits, '1', 'graphql', now)).toEqual(after(9));
});

test('no answer to one installation blocks another, and nothing blocks longer than it was told', () => {
  const said = fc.record({
    key: fc.constantFrom('1', '2'),
    status: fc.constantFrom(200, 403, 404, 429, 500),
    remaining: fc.constantFrom('0', '1', 'x'),
    reset: fc.integer({ min: -100, max: 3000 }),
    retryAfter: fc.option(fc.integer({ min: 0, max: 3000 }).map(String), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(said, { maxLength: 30 }), (answers) => {
      const limits = createLimits();
      for (const { key, status, remaining, reset, retryAfter } of answers) {
        const headers = {
          'x-ratelimit-remaining': remaining,
          'x-ratelimit-reset': epoch(after(reset)),
          ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
        };
        noteAnswer(limits, key, 'core', answer({ status, headers }), now);
      }
      expect(blockedUntil(limits, '3', 'core', now)).toBeNull();
      for (const key of ['1', '2']) {
        const until = blockedUntil(limits, key, 'core', now);
        if (!answers.some((given) => given.key === key)) expect(until).toBeNull();
        expect((until ?? now) <= after(3600)).toBe(true);
        expect(blockedUntil(limits, key, 'core', after(3600))).toBeNull();
      }
    }),
  );
});
