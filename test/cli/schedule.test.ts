import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve, type Served } from './served.ts';

const file = `projectname: clockwork
tasks:
  main: echo ticked
  broken: exit 3
recurring_tasks:
  noon: {taskref: main, schedule: "0 12 * * *", timezone: Asia/Kathmandu}
  yearly: {taskref: broken, schedule: "@yearly", catchup: none, overlap: queue}
`;

let served: Served;
let clone: string;
let remote: string;
beforeAll(async () => {
  served = await serve();
  ({ clone, remote } = await served.push('clockwork', { 'ame.yaml': file }));
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
});

const ame = (...args: readonly string[]) => served.ame(['schedule', ...args], { cwd: clone });

test('the push shows when they tick next', () => {
  expect(remote).toMatch(/^ {2}noon of main: next \w{3} \d{4}-\d\d-\d\d 12:00, .*\(Asia\/Kathmandu\)$/m);
  expect(remote).toMatch(/^ {2}yearly of broken: next \w{3} \d{4}-01-01 00:00, .*\(UTC\)$/m);
});

test('list and show', async () => {
  const { out } = await ame('list');
  const [head, noon, yearly] = out.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(head?.slice(0, 5)).toEqual(['SCHEDULE', 'PROJECT', 'TASK', 'TIMES', 'ZONE']);
  expect(noon?.slice(0, 5)).toEqual(['noon', 'clockwork', 'main', '0 12 * * *', 'Asia/Kathmandu']);
  expect(yearly?.[5]).toMatch(/^in /);
  const shown = await ame('show', 'yearly');
  expect(shown.out).toMatch(
    /^yearly of clockwork: broken\n@yearly UTC, catchup none, overlap queue, line 7\n\nNEXT\n(\w{3} \d{4}-01-01 00:00 {2}in .*\n){5}$/,
  );
  const { out: json } = await ame('show', 'yearly', '--json');
  expect(JSON.parse(json)).toMatchObject({ name: 'yearly', state: 'active', missedTicks: 0, last: [] });
});

test('the next ticks, as many as are asked for', async () => {
  const { out } = await ame('next', 'noon', '--count', '2');
  expect(out).toMatch(/^(\w{3} \d{4}-\d\d-\d\d 12:00 {2}\d{4}-\d\d-\d\dT06:15:00\.000Z\n){2}$/);
});

test('pause and resume', async () => {
  expect((await ame('pause', 'noon')).out).toBe(
    'The schedule noon of clockwork is paused, whatever is pushed.\n',
  );
  expect((await ame('show', 'noon')).out).toMatch(/^paused since .*: A person paused it\.$/m);
  expect((await ame('next', 'noon')).err).toBe('noon is paused: ame schedule resume noon\n');
  expect((await ame('resume', 'noon')).out).toMatch(
    /^The schedule noon of clockwork (ticks again|ticks next at .* 12:00 \(Asia\/Kathmandu\))\.\n$/,
  );
});

test('run-now follows the run, and three failures stand on the line of the schedule', async () => {
  const good = await ame('run-now', 'noon');
  expect([good.code, good.err]).toEqual([0, expect.stringMatching(/^clockwork#1: main at [0-9a-f]{12}\n/)]);
  for (let round = 0; round < 3; round += 1) expect((await ame('run-now', 'yearly')).code).toBe(3);
  expect((await ame('list')).out).toMatch(/#4 failed +failing since .*: 3 in a row, the last one with /);
});

test('what there is not', async () => {
  const { code, err } = await ame('show', 'daily');
  expect([code, err]).toEqual([2, expect.stringContaining('has no schedule "daily"; it has noon, yearly')]);
  expect((await served.ame(['schedule', 'show', 'noon'])).code).toBe(2);
  expect((await served.ame(['schedule', 'list', '-p', 'clockwork', '--json'])).out).toContain('"noon"');
});
