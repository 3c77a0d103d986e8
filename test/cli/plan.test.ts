import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planDigest, planTask } from '../../src/core/plan.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { ame } from './fake-terminal.ts';

const file = `projectname: spam
tasks:
  all:
    pipeline:
      a: echo a
      b:
        runcommand: [echo b, echo c]
      c: {needs: [a], runcommand: echo c, if: always}
      inner:
        needs: [b, c]
        pipeline:
          d: echo d
  other: echo other
`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ame-test-plan-'));
  await writeFile(join(folder, 'ame.yaml'), file);
  await writeFile(join(folder, 'bad.yaml'), 'projectname: spam\ntasks:\n  a: {needs: [b]}\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function planned(task: string): ReturnType<typeof planTask> & { readonly digest: string } {
  const { project } = parseProjectFile(file);
  if (project === null) throw new Error('the file of this test is wrong');
  const made = planTask(project, task);
  return { ...made, digest: planDigest(made.plan) };
}

test('shows the order and why each task comes after another', async () => {
  const { code, out, err } = await ame(['plan', 'all'], { cwd: folder });
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe(`spam: all

1. a
   $ echo a
2. b
   $ echo b …
   after a: line 6 has no needs, so it follows the task written above it
3. c  if: always
   $ echo c
   after a: needs in line 8
4. inner/d
   $ echo d
   after b: its pipeline comes after it (line 10)
   after c: its pipeline comes after it (line 10)

digest ${planned('all').digest}
`);
});

test('for programs', async () => {
  const { plan, edges, digest } = planned('all');
  const { out } = await ame(['plan', 'all', '--json'], { cwd: folder });
  expect(JSON.parse(out)).toEqual({ ...JSON.parse(JSON.stringify(plan)), digest, edges, schedules: [] });
});

test('a task that runs by itself shows its next five ticks in the zone of its schedule', async () => {
  const file = join(folder, 'clock.yaml');
  const recurring =
    'recurring_tasks:\n  noon: {taskref: main, schedule: "0 12 * * *", timezone: Asia/Kathmandu}\n';
  await writeFile(file, `projectname: clock\ntasks:\n  main: date\n${recurring}`);
  const { out } = await ame(['plan', '--file', file], { cwd: folder });
  expect(out).toMatch(/^noon: 0 12 \* \* \* Asia\/Kathmandu, .*\n(  \w{3} \d{4}-\d\d-\d\d 12:00\n){5}$/m);
});

test.each([
  [['plan'], /no.* "main", and nothing says which one to run\. Name one: ame plan all\n$/],
  [['plan', 'nobody'], /There is no task `nobody` in the file\. It has `all` and `other`\.\n$/],
  [
    ['plan', '--file', 'bad.yaml'],
    /error: [^]*There is no plan until the errors in ame\.yaml are repaired\.\n$/,
  ],
])('%j has no plan', async (args, message) => {
  const { code, out, err } = await ame(args, { cwd: folder });
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
});
