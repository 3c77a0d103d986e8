import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runCheck, type RunReport } from '../../src/core/check/run-check.ts';
import {
  lastWordsOf,
  podLogRules,
  whyUnread,
  type PodLogAnswer,
  type PodLogRefusal,
} from '../../src/core/outcome/last-words.ts';
import { noticesOf } from '../../src/core/outcome/notices.ts';
import { readClusterFixtures } from './cluster-fixtures.ts';

/** What each recorded answer means: the rule for each container, and what is said. */
const meanings: Readonly<Record<string, readonly [rules: readonly string[], unread: RegExp | null]>> = {
  'pod-log': [[], null],
  'pod-log-forbidden': [
    ['log-forbidden', 'log-forbidden'],
    /^AME may not read it \(.*`get` of `pods\/log`.*cannot get resource "pods\/log"/,
  ],
  'pod-log-gone': [['log-gone', 'log-gone'], /^it was removed before it could be read\.$/],
  'pod-log-late': [['log-late', 'log-late'], /^its node did not answer in time\.$/],
  'pod-log-node-away': [['log-node-away'], /^its node does not answer: dial tcp .*connection refused\.$/],
  'pod-log-node-gone': [['log-node-away'], /^its node does not answer: no preferred addresses found/],
  'pod-log-none': [['log-none'], null],
};

const fixtures = [...readClusterFixtures().values()].filter(({ log }) => log !== undefined);

test('every recorded answer means what the table says, and each rule is met by one', () => {
  const seen = fixtures.map(({ row, log = [] }) => {
    const rules = log.flatMap((answer) => ('refused' in answer ? [whyUnread(answer).rule] : []));
    const pattern = meanings[row]?.[1];
    const unread = lastWordsOf(log)?.unread ?? null;
    if (pattern !== undefined && pattern !== null) expect(unread).toMatch(pattern);
    else expect(unread).toBeNull();
    return [row, rules];
  });
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(Object.entries(meanings).map(([row, [rules]]) => [row, rules])),
  );
  const met = new Set(seen.flatMap(([, rules]) => rules));
  // What is none of these has no recording: it is whatever nobody has thought of.
  expect(podLogRules.map(({ id }) => id).filter((id) => !met.has(id))).toEqual(['log-refused']);
  const odd: PodLogRefusal = { container: 'task', refused: 'away', message: 'the API server answered 503' };
  expect(whyUnread(odd)).toEqual({
    rule: 'log-refused',
    why: 'the cluster answers: the API server answered 503.',
  });
});

describe('lastWordsOf', () => {
  const said = (text: string): PodLogAnswer => ({ container: 'agent', text });

  test('what was said, and nothing where nothing was and nothing is missing', () => {
    const log = fixtures.find(({ row }) => row === 'pod-log')?.log ?? [];
    expect(lastWordsOf(log)).toEqual({
      said: [
        { container: 'agent', text: 'the agent cannot go on' },
        { container: 'task', text: 'ame: not-alone: the entry is not process 1' },
      ],
      unread: null,
    });
    expect(lastWordsOf([said(''), { container: 'task', text: '\n \n' }])).toBeNull();
    expect(lastWordsOf([])).toBeNull();
  });

  test('one container was read and the other one was not', () => {
    const late: PodLogRefusal = { container: 'task', refused: 'late', message: '' };
    expect(lastWordsOf([said('one\n'), late])).toEqual({
      said: [{ container: 'agent', text: 'one' }],
      unread: 'its node did not answer in time.',
    });
  });

  test('a log that was rotated away is told in place of a log', () => {
    expect(lastWordsOf([said('unable to retrieve container logs for containerd://0123')])).toEqual({
      said: [],
      unread: 'it was removed before it could be read.',
    });
  });

  test('the end of it, without colours and with controls that can be read', () => {
    const many = Array.from({ length: 50 }, (_, at) => `line ${at}`).join('\n');
    expect(
      lastWordsOf([said(many)])
        ?.said[0]?.text.split('\n')
        .at(0),
    ).toBe('line 30');
    expect(lastWordsOf([said('\u001b[31mred\u001b[0m \u0007\u202e')])?.said[0]?.text).toBe(
      String.raw`red \x07\u{202e}`,
    );
  });

  test('whatever was said, it is bounded and nothing in it acts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20_000 }), (text) => {
        const [first] = lastWordsOf([said(text)])?.said ?? [];
        const kept = first?.text ?? '';
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4096);
        expect(kept.split('\n').length).toBeLessThanOrEqual(20);
        expect(kept).not.toMatch(/[^\P{Cc}\t\n]|[\u202a-\u202e]/u);
      }),
      { numRuns: 50 },
    );
  });
});

test('why it could not be read is a notice of the attempt', () => {
  const attempt = { task: 'train', state: 'failed', resources: null, report: null } as const;
  expect(
    noticesOf({ ...attempt, lastWords: { said: [], unread: 'its node did not answer in time.' } }),
  ).toEqual(["`train`: the pod's own log could not be read: its node did not answer in time."]);
  expect(noticesOf({ ...attempt, lastWords: { said: [], unread: null } })).toEqual([]);
});

test('a check quotes a few lines, whatever they look like', () => {
  const text = [...Array.from({ length: 15 }, (_, at) => `said ${at}`), '```', '<b>@team</b>'].join('\n');
  const report: RunReport = {
    project: 'spam',
    number: 4,
    task: 'main',
    commit: '0123456789abcdef',
    ref: 'refs/heads/main',
    state: 'failed',
    reason: 'main: It could not be started.',
    seconds: 1,
    tasks: [],
    artifacts: [],
    log: null,
    lastWords: { task: 'main', said: [{ container: 'agent', text }] },
    notices: [],
    annotations: [],
    unread: { tasks: 0, exceptions: 0 },
    requestedBy: null,
    command: 'ame runs show spam#4',
    externalId: 'run:4',
    url: 'http://127.0.0.1:8080/runs/4',
  };
  const section = runCheck(report).text.split('### ')[1] ?? '';
  expect(section).toMatch(
    /^What the pod of <code>main<\/code> said last\n\nContainer <code>agent<\/code>:\n\n````\n/,
  );
  expect(section).toContain('said 14\n```\n<b>@team</b>\n````');
  expect(section).not.toContain('said 6\n');
  expect(runCheck({ ...report, lastWords: null }).text).not.toContain('said last');
});
