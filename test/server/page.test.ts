import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fileCheck } from '../../src/core/check/file-check.ts';
import type { Problem } from '../../src/core/problems.ts';
import { attemptStates, runStates } from '../../src/core/run.ts';
import { insertRetries, listAttempts, saveReport } from '../../src/db/attempts.ts';
import { insertArtifacts, insertBlobs } from '../../src/db/blobs.ts';
import { saveCheck } from '../../src/db/checks.ts';
import type { Db } from '../../src/db/connect.ts';
import { insertDecisions } from '../../src/db/deliveries.ts';
import { insertRevision } from '../../src/db/projects.ts';
import { requestCancel } from '../../src/db/runs.ts';
import { openTestAme, type TestAme } from './ame.ts';
import { changeAttempt, changeRun, makeRun, sayLines, sha } from './page-rows.ts';

let opened: TestAme;
let db: Db;
beforeAll(async () => {
  opened = await openTestAme();
  db = opened.ame.db;
});
afterAll(() => opened.close());

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** The text of a page that a person asks for. */
async function page(path: string, status = 200): Promise<string> {
  const response = await opened.ask(path, { headers: browser });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  return response.text();
}

/** Text as the page carries it. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A pattern of just this text. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/** A page without its markup, as somebody reads it. */
function read(markup: string): string {
  return markup
    .replaceAll(/<(style|script)[\s\S]*?<\/\1>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

describe('what comes from outside', () => {
  const hostile = (what: string): string => `${what}"'><b onclick=x>&\u202e\x1b[1m</script>`;
  const shown = (what: string): string => escaped(`${what}"'><b onclick=x>&\\u{202e}\\x1b[1m</script>`);
  const commit = 'bad'.padEnd(40, '0');
  let pages: readonly string[];
  let run: string;

  beforeAll(async () => {
    const made = await makeRun(db, {
      project: hostile('project'),
      repository: hostile('repository'),
      task: hostile('task'),
      tasks: [hostile('outer/inner'), 'other'],
      ref: `refs/heads/${hostile('ref')}`,
      commit,
    });
    const [first] = made.attempts;
    const running = await changeAttempt(db, first, {
      state: 'running',
      queuedAt: new Date(),
      startedAt: new Date(),
    });
    await sayLines(db, running, [
      [1, `${hostile('stdout')}\x1b[0m`],
      [2, hostile('stderr')],
    ]);
    await insertBlobs(db, made.repositoryId, [{ digest: 'a'.repeat(64), size: 1 }]);
    await insertArtifacts(db, running.id, [
      { path: hostile('path'), digest: 'a'.repeat(64), size: 1, mode: 0o644 },
    ]);
    await saveReport(db, running.id, {
      ending: { exitCode: 1, signal: null },
      fault: null,
      phases: { preparedFrom: null, startedAt: null, endedAt: null, storedAt: null },
      output: null,
      artifacts: [],
      notices: [hostile('notice')],
      peakMemoryBytes: null,
    });
    await changeAttempt(db, running, {
      state: 'failed',
      class: 'exit',
      reason: hostile('cause'),
      finishedAt: new Date(),
    });
    await changeRun(db, made.run, { state: 'failed', class: 'exit', reason: hostile('reason') });
    const wrong: Problem = {
      code: 'unknown-key',
      severity: 'error',
      message: hostile('message'),
      remedy: hostile('remedy'),
      line: 3,
      column: 7,
      path: 'tasks',
    };
    await insertRevision(db, {
      projectId: made.run.projectId,
      commit,
      fileDigest: '1',
      project: null,
      problems: [wrong],
    });
    await insertDecisions(db, [
      {
        projectId: made.run.projectId,
        repositoryId: made.repositoryId,
        commit,
        trigger: 'push',
        outcome: 'no_run',
        rule: hostile('rule'),
        line: 4,
        message: hostile('decision'),
        remedy: hostile('would'),
      },
      {
        projectId: made.run.projectId,
        repositoryId: made.repositoryId,
        commit,
        trigger: 'push',
        task: hostile('task'),
        outcome: 'run',
        rule: 'push',
        message: hostile('decided'),
        runId: made.run.id,
      },
    ]);
    const says = fileCheck({
      project: hostile('project'),
      problems: [wrong],
      decision: null,
      runs: [],
      externalId: 'file',
      url: null,
    });
    await saveCheck(db, {
      repositoryId: made.repositoryId,
      sha: commit,
      runId: null,
      says: { ...says, title: hostile('title') },
    });
    run = await page(`/runs/${made.run.id}`);
    pages = [
      run,
      await page(`/commits/${commit}`),
      await page('/'),
      await page(`/?project=${encodeURIComponent(hostile('project'))}`),
    ];
  });

  test('is text on every page: no markup, no turned direction, no control character', () => {
    for (const text of pages) {
      expect(text).not.toContain('<b onclick');
      expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]/);
      expect(text.match(/<\/script>/g) ?? []).toHaveLength(1);
    }
  });

  test.each([
    'project',
    'repository',
    'task',
    'inner',
    'ref',
    'notice',
    'path',
    'cause',
    'reason',
    'message',
    'remedy',
    'decided',
    'title',
  ])('the page of a run shows its %s with all of its characters', (what) => {
    expect(run).toContain(shown(what));
  });

  test('the log shows its lines without escape sequences, and says which is which', () => {
    const line = (what: string): string => shown(what).replace('\\x1b[1m', '');
    expect(run).toMatch(new RegExp(`<span class="" [^>]*>${literal(line('stdout'))}</span>`));
    expect(run).toMatch(new RegExp(`<span class="err" [^>]*>${literal(line('stderr'))}</span>`));
  });

  test.each(['repository', 'message', 'remedy', 'rule', 'decision', 'would', 'decided', 'project', 'title'])(
    'the page of a commit shows its %s',
    (what) => {
      expect(pages[1]).toContain(shown(what));
    },
  );

  test('what is asked for is text in the answer too', async () => {
    const id = '"\'><b onclick=x>&\u202e';
    expect(await page(`/runs/${encodeURIComponent(id)}`, 404)).toContain(
      `There is no run with the id ${escaped('"\'><b onclick=x>&\\u{202e}')}.`,
    );
    expect(await page(`/${encodeURIComponent('<b onclick=x>')}`, 404)).not.toContain('<b onclick');
    expect(await page(`/?project=${encodeURIComponent('<b onclick=x>')}`)).toContain(
      'There is no run of &lt;b onclick=x&gt;.',
    );
  });
});

describe('every answer', () => {
  test.each([
    ['/', 200],
    ['/runs/999999', 404],
    ['/commits/none', 404],
    ['/nothing-here', 404],
  ])('%s lets nothing in from outside', async (path, status) => {
    const ask = () => opened.ask(path, { headers: browser });
    const [first, second] = [await ask(), await ask()];
    expect(first.status).toBe(status);
    const policy = first.headers.get('content-security-policy') ?? '';
    const [, nonce = ''] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
    expect(policy).toBe(
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(nonce).toHaveLength(24);
    expect(second.headers.get('content-security-policy')).not.toContain(nonce);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    const text = await first.text();
    expect([...text.matchAll(/<(?:script|style)\b[^>]*>/g)].map(([tag]) => tag)).toEqual([
      `<style nonce="${nonce}">`,
      `<script nonce="${nonce}">`,
    ]);
    // The policy would refuse these without a word.
    expect(text).not.toMatch(/\s(?:style|on\w+)="/);
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
      /(?:src|href|action)="(?:https?:|\/\/)/,
    );
  });

  test('is a page for people and JSON for programs where there is nothing', async () => {
    const [person, program, api] = await Promise.all([
      opened.ask('/nothing', { headers: browser }),
      opened.ask('/nothing'),
      opened.ask('/api/v1/runs/999999', { headers: browser }),
    ]);
    expect(
      [person, program, api].map((response) => [
        response.status,
        response.headers.get('content-type')?.split(';')[0],
      ]),
    ).toEqual([
      [404, 'text/html'],
      [404, 'application/json'],
      [404, 'application/json'],
    ]);
    expect(read(await person.text())).toContain('There is nothing at /nothing.');
  });

  test('a database that is away is said on a page', async () => {
    await using away = await openTestAme({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none' });
    const response = await away.ask('/', { headers: browser });
    expect(response.status).toBe(503);
    expect(read(await response.text())).toContain('The database is away');
  });
});

describe('a run', () => {
  test.each(runStates)('that is %s says so, with the buttons that it can have', async (state) => {
    const { run } = await makeRun(db);
    const final = state !== 'queued' && state !== 'running';
    if (state !== 'queued') {
      const ending = (
        { succeeded: 'succeeded', failed: 'timeout', cancelled: 'superseded', skipped: 'skipped' } as const
      )[state === 'running' ? 'succeeded' : state];
      await changeRun(db, run, { state, ...(final ? { class: ending } : {}) });
      if (state === 'failed')
        expect(read(await page(`/runs/${run.id}`))).toContain('The command ran longer than its timeout');
    }
    const text = await page(`/runs/${run.id}`);
    expect(text).toContain(`<title>spam#1 ${state} · AME</title>`);
    expect(text).toMatch(new RegExp(`<h1>spam#1</h1>\\s*<span class="state ${state}">`));
    expect(text.includes(`/api/v1/runs/${run.id}/cancel`)).toBe(!final);
    expect(text.includes(`/api/v1/runs/${run.id}/retry`)).toBe(final && state !== 'succeeded');
    // What is over is not asked for again.
    expect(/<main\b[^>]*data-poll/.test(text)).toBe(!final);
  });

  test('that was asked to end says who asked, and asks no second time', async () => {
    const { run } = await makeRun(db);
    await requestCancel(db, run.id, 'Cancelled by a person.');
    const text = await page(`/runs/${run.id}`);
    expect(read(text)).toContain('Asked to end. Cancelled by a person.');
    expect(text).not.toContain(`/api/v1/runs/${run.id}/cancel`);
  });

  test('shows the state of each task, its times, its tries and what was taken over', async () => {
    const { run, attempts } = await makeRun(db, { tasks: [...attemptStates, 'again', 'taken'] });
    const at = (seconds: number): Date => new Date(run.createdAt.getTime() + seconds * 1_000);
    const times = {
      readyAt: at(0),
      queuedAt: at(0),
      preparedFrom: at(2),
      startedAt: at(3),
      endedAt: at(68),
      storedAt: at(70),
    };
    const used = {
      peakMemoryBytes: 1.5 * 2 ** 30,
      cpuSeconds: 52,
      resources: {
        cpu: { millis: 500, limited: true },
        memory: { bytes: 4 * 2 ** 30, ceilingBytes: 8 * 2 ** 30, over: 2 * 2 ** 30 },
        storageBytes: 1,
        gpus: 0,
        vramMib: null,
      },
    };
    for (const [position, state] of attemptStates.entries()) {
      if (state === 'waiting') continue;
      const final = state !== 'queued' && state !== 'running';
      await changeAttempt(db, attempts[position], {
        state,
        ...(state === 'succeeded' ? { ...times, ...used } : {}),
        ...(state === 'queued' ? { pendingWhy: 'No node has `4` GPUs.' } : {}),
        ...(final ? { class: state === 'failed' ? 'lost' : state, finishedAt: at(70) } : {}),
        ...(state === 'failed' ? { reason: 'The machine is `gone`.' } : {}),
      });
    }
    const again = attempts.find(({ task }) => task === 'again');
    await changeAttempt(db, again, { state: 'failed', class: 'signal', queuedAt: at(0), finishedAt: at(1) });
    await insertRetries(db, run.id, [
      { task: 'again', position: again?.position ?? 0, number: 2, notBefore: at(9), resources: null },
    ]);
    const text = await page(`/runs/${run.id}`);
    const rows = [...text.matchAll(/<tr id="task-[\s\S]*?<\/tr>/g)].map(([row]) => read(row).trim());
    for (const [position, state] of attemptStates.entries())
      expect(rows[position]).toMatch(new RegExp(`^${state}.* ${state}`));
    expect(rows[attemptStates.indexOf('succeeded')]).toContain(
      'waited 2.0 s, prepared 1.0 s, stored 2.0 s; 1.5 GiB of 4.0 GiB (raised), 0.8 of 0.5 cores 1 min 5 s',
    );
    expect(rows[attemptStates.indexOf('queued')]).toContain('waits: No node has 4 GPUs.');
    expect(rows[attemptStates.indexOf('failed')]).toContain('The machine is gone .');
    expect(rows.find((row) => row.startsWith('again'))).toMatch(
      /try 2 tries again at .*UTC try 1: signal Log/,
    );
    expect(read(text)).toContain('5 of 9 tasks done'.replace('5', '4'));
  });

  test('that repeats another one shows what it took over and where the others are', async () => {
    const first = await makeRun(db, { tasks: ['good', 'bad'] });
    const good = await changeAttempt(db, first.attempts[0], {
      state: 'succeeded',
      class: 'succeeded',
      queuedAt: new Date(),
      startedAt: new Date(),
      endedAt: new Date(),
      finishedAt: new Date(),
    });
    await sayLines(db, good, [[1, 'said in the first run']]);
    const second = await makeRun(db, {
      tasks: ['good', 'bad'],
      repository: `spam-of-${first.run.id}`,
      trigger: 'retry',
      retryOf: first.run.id,
      reused: new Map([['good', good]]),
    });
    const text = await page(`/runs/${second.run.id}`);
    expect(read(text)).toContain('taken over from an earlier run');
    expect(text).toContain(`href="/runs/${first.run.id}"`);
    expect(text).toContain('said in the first run');
    expect(text).toContain(`data-events="/api/v1/attempts/${good.id}/log/events"`);
  });

  test('of very many tasks shows what matters and how many it left out', async () => {
    const { run, attempts } = await makeRun(db, {
      tasks: Array.from({ length: 700 }, (_, n) => `task-${n}-`),
    });
    await changeAttempt(db, attempts[650], { state: 'failed', class: 'exit', finishedAt: new Date() });
    const text = await page(`/runs/${run.id}`);
    expect(text.match(/<tr id="task-/g)).toHaveLength(500);
    expect(text).toContain('task-650-');
    expect(read(text)).toContain('…and 200 more tasks');
  });
});

describe('the log', () => {
  test('that is shown is the one asked for, else of what runs, else of what failed first', async () => {
    const { run, attempts } = await makeRun(db, { tasks: ['one', 'two', 'three'] });
    const logOf = async (query = ''): Promise<string | undefined> =>
      /id="log-title">\s*Log of (\w+)/.exec(await page(`/runs/${run.id}${query}`))?.[1];
    const begun = (at: number) => ({ queuedAt: new Date(at), startedAt: new Date(at) });
    expect(await logOf()).toBeUndefined();
    await changeAttempt(db, attempts[0], {
      state: 'failed',
      class: 'exit',
      ...begun(1_000),
      finishedAt: new Date(3_000),
    });
    expect(await logOf()).toBe('one');
    const two = await changeAttempt(db, attempts[1], { state: 'running', ...begun(2_000) });
    await changeAttempt(db, attempts[2], { state: 'running', ...begun(3_000) });
    expect(await logOf()).toBe('two');
    expect(await logOf(`?attempt=${attempts[2]?.id}`)).toBe('three');
    expect(await logOf('?attempt=999999')).toBe('two');
    await changeAttempt(db, two, { state: 'failed', class: 'exit', finishedAt: new Date(2_500) });
    await changeRun(db, run, { state: 'failed', class: 'exit', reason: 'two failed' });
    expect(await logOf()).toBe('two');
  });

  test('is there without a script, and goes on for one where it ends', async () => {
    const { run, attempts } = await makeRun(db);
    const running = await changeAttempt(db, attempts[0], {
      state: 'running',
      queuedAt: new Date(),
      startedAt: new Date(),
    });
    const bytes = await sayLines(db, running, [
      [1, 'to stdout'],
      [2, 'to stderr'],
      [0, 'of AME'],
    ]);
    const text = await page(`/runs/${run.id}`);
    expect(text).toContain(`data-offset="${bytes}"`);
    expect(
      [...text.matchAll(/<span class="(\w*)" data-at="0:00" *>([^<]*)<\/span>/g)].map(([, kind, line]) => [
        kind,
        line,
      ]),
    ).toEqual([
      ['', 'to stdout'],
      ['err', 'to stderr'],
      ['ame', 'of AME'],
    ]);
    // A script that follows the log already does not need its end again and again.
    const part = await page(`/runs/${run.id}?part=main&log=${running.id}`);
    expect(part).toMatch(/^<main\s+id="main"/);
    expect(part).not.toContain('to stdout');
    expect(await page(`/runs/${run.id}?part=main`)).toContain('to stdout');
  });

  test('of many lines and small pieces is shown by its end', async () => {
    const { run, attempts } = await makeRun(db);
    const running = await changeAttempt(db, attempts[0], {
      state: 'running',
      queuedAt: new Date(),
      startedAt: new Date(),
    });
    let offset = 0;
    for (let seq = 0; seq < 250; seq += 1) {
      const lines = Array.from({ length: 20 }, (_, n) => [1, `line ${seq * 20 + n} of many`] as const);
      offset += await sayLines(db, running, lines, { seq, firstLine: seq * 20, offset });
    }
    const text = await page(`/runs/${run.id}`);
    expect(text.match(/line \d+ of many/g)).toEqual(
      Array.from({ length: 2_000 }, (_, n) => `line ${3_000 + n} of many`),
    );
    expect(text).toContain('Earlier lines stand in the whole log.');
    expect(text).toContain(`data-offset="${offset}"`);
  });
});

describe('the first page', () => {
  beforeEach(async () => {
    for (let n = 0; n < 31; n += 1) await makeRun(db, { project: 'many', repository: 'many' });
  });

  test('has the newest runs of all projects or of one, and leads to older ones', async () => {
    const text = await page('/?project=many');
    const numbers = [...text.matchAll(/>many#(\d+)</g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, n) => 31 - n));
    const older = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect([...(await page(older)).matchAll(/>many#(\d+)</g)].map(([, number]) => number)).toEqual(['1']);
    expect(await page('/')).toContain('many#31');
    expect(await page('/?project=ma%00ny')).toContain('many#31');
  });

  test('says how to begin where nothing has run', async () => {
    await using fresh = await openTestAme();
    const text = await (await fresh.ask('/')).text();
    expect(read(text)).toContain(
      'git push ame main # http://127.0.0.1:8080/git/&lt;owner&gt;/&lt;name&gt;.git',
    );
  });
});

test('the page of a commit leads to its runs', async () => {
  const { run } = await makeRun(db);
  await insertDecisions(db, [
    {
      commit: sha,
      trigger: 'push',
      task: 'main',
      outcome: 'run',
      rule: 'push',
      line: 2,
      message: '`push` in line 2 lets it run.',
      runId: run.id,
    },
  ]);
  const text = await page(`/commits/${sha.toUpperCase()}`);
  expect(text).toContain(`href="/runs/${run.id}"`);
  expect(read(text)).toContain('push in line 2 lets it run. rule push, line 2');
  expect((await listAttempts(db, run.id)).length).toBe(1);
});
