import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestAme, type TestAme } from './ame.ts';
import { changeAttempt, changeRun, makeRun } from './page-rows.ts';

let opened: TestAme;
beforeAll(async () => {
  opened = await openTestAme();
});
afterAll(() => opened.close());

test('the page of a run shows what the pod said last, as text', async () => {
  const { db } = opened.ame;
  const { run, attempts } = await makeRun(db);
  const read = async (): Promise<string> =>
    (await opened.ask(`/runs/${run.id}`, { headers: { accept: 'text/html' } })).text();
  expect(await read()).not.toContain('Last words');
  await changeAttempt(db, attempts[0], {
    state: 'failed',
    class: 'start_failed',
    reason: 'It could not be started.',
    finishedAt: new Date(),
    lastWords: {
      said: [{ container: 'task', text: '<b>cannot</b> go on' }],
      unread: 'its node did not answer in time.',
    },
  });
  await changeRun(db, run, { state: 'failed', class: 'start_failed' });
  const page = await read();
  expect(page).toMatch(/Last words of the pod of\s+main/);
  expect(page).toMatch(/Container <code>task<\/code>/);
  expect(page).toContain('&lt;b&gt;cannot&lt;/b&gt; go on');
  expect(page).toContain('own log could not be read: its node did not answer in time.');
});
