import { expect, test } from 'vitest';
import { describeRefusals, type Refusal } from '../../src/agent/refusals.ts';

const link: Refusal = { path: 'l', why: 'leaves', target: '/etc/passwd' };

test.each<readonly [readonly Refusal[], expected: RegExp, not: RegExp]>([
  [[link], /l \(a symbolic link .*to \/etc\/passwd\)\. A symbolic link must/, /pipe|chmod|TMPDIR/],
  [[{ path: 'p', why: 'pipe' }], /p \(a named pipe\)\. Named pipes, .*\$TMPDIR/, /symbolic link/],
  [[{ path: 's', why: 'socket' }], /s \(a socket\)\. Named pipes, .*\$TMPDIR/, /symbolic link/],
  [[{ path: 'd', why: 'device' }], /d \(a device\)\. Named pipes, .*\$TMPDIR/, /symbolic link/],
  [[{ path: 'u', why: 'unreadable' }], /u \(cannot be read\)\. .*chmod u\+r/, /symbolic link|TMPDIR/],
  [[{ path: '', why: 'gone' }], /its own directory \(was removed.*\)\. Leave the workspace/, /symbolic link/],
  [[{ path: 't', why: 'too-long' }], /too long\)\. Use shorter names/, /symbolic link/],
  [[{ path: 'c', why: 'changing' }], /looked at\)\. Wait for/, /symbolic link/],
])('%j is told with what to do about it, and nothing else', (refusals, expected, not) => {
  const { message } = describeRefusals(refusals);
  expect(message).toMatch(expected);
  expect(message).not.toMatch(not);
});

test('each advice is given once, links first', () => {
  const pipes = Array.from({ length: 20 }, (_, at) => ({ path: `p${at}`, why: 'pipe' }) as const);
  const { message } = describeRefusals([...pipes, link]);
  expect(message).toMatch(/p9 \(a named pipe\) and 11 more\. A symbolic link .*workspace\. Named pipes/);
  expect(message.match(/Named pipes/g)).toHaveLength(1);
});
