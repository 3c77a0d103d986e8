import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planTask } from '../src/core/plan.ts';
import { parseProjectFile } from '../src/core/project-file.ts';
import { nextTick } from '../src/core/schedule/ticks.ts';

const run = promisify(execFile);
const files = join(import.meta.dirname, '..', 'src', 'sample', 'files');
let folder: string;
let project: ReturnType<typeof parseProjectFile>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ame-test-sample-'));
  await cp(files, folder, { recursive: true });
  project = parseProjectFile(await readFile(join(files, 'ame.yaml')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function scripts(): readonly string[] {
  if (project.project === null) throw new Error('the file of the sample is wrong');
  return planTask(project.project, 'main').plan.tasks.map(({ script }) =>
    script.trim().replace(/^python /, ''),
  );
}

/** All tasks in the order of the plan, in one folder. */
async function runAll(): Promise<void> {
  for (const script of scripts()) await run('python3', [script], { cwd: folder });
}

const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

test('its file is without fault and runs every script', async () => {
  expect(project.problems).toEqual([]);
  const all = (await readdir(files)).filter((name) => name.endsWith('.py'));
  expect(scripts().toSorted()).toEqual(all.toSorted());
});

test('it learns something, and comes out the same each time', async () => {
  await runAll();
  const first = await read('metrics.json');
  const metrics = JSON.parse(first) as {
    days: number;
    accuracy: number;
    baseline: number;
    confusion: Record<string, number>;
  };
  expect(metrics.accuracy).toBeGreaterThan(metrics.baseline + 0.1);
  // Weather that is told without a fault would mean that the answer had leaked.
  expect(metrics.accuracy).toBeLessThan(0.95);
  expect(Object.values(metrics.confusion).reduce((sum, count) => sum + count, 0)).toBe(metrics.days);
  expect(await read('report.md')).toContain(`accuracy | ${(metrics.accuracy * 100).toFixed(1)}%`);
  await runAll();
  expect(await read('metrics.json')).toBe(first);
});

test('the held-out days are not among those to learn from, and decide nothing about the model', async () => {
  await runAll();
  const days = async (name: string): Promise<readonly string[]> =>
    (await read(name)).trim().split(/\r?\n/).slice(1);
  const [learn, heldOut, all] = [
    await days('data/train.csv'),
    await days('data/test.csv'),
    await days('data/weather.csv'),
  ];
  expect(learn.length + heldOut.length).toBe(all.length);
  const model = await read('model.json');
  const [header = ''] = (await read('data/test.csv')).split(/\r?\n/);
  await writeFile(join(folder, 'data/test.csv'), `${header}\n0,0,0,0,1\n`);
  await run('python3', ['train.py'], { cwd: folder });
  expect(await read('model.json')).toBe(model);
});

test('whoever starts it sees its schedule tick within a minute', async () => {
  const [schedule, ...others] = project.project?.recurringTasks ?? [];
  expect([schedule?.taskref.name, others]).toEqual(['clock', []]);
  const now = new Date();
  const tick = nextTick(schedule?.schedule ?? '', schedule?.timezone ?? 'UTC', now);
  expect(tick.getTime() - now.getTime()).toBeLessThanOrEqual(60_000);
  if (project.project === null) throw new Error('the file of the sample is wrong');
  const [clock] = planTask(project.project, 'clock').plan.tasks;
  expect((await run('sh', ['-ec', clock?.script ?? 'exit 1'])).stdout).toContain('a schedule says so');
});
