import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { readExposition } from '../server/exposition.ts';
import { createGithubAme } from './github.ts';
import { createAme, createClock } from './harness.ts';
import { text } from './text.ts';

/** The first cell of each row of the table below a line of the docs that begins so. */
async function documented(heading: string): Promise<ReadonlySet<string>> {
  const page = await readFile(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
  const section = page.slice(page.indexOf(heading));
  const table = /\n\|[^\n]*\n\|[ -|]*\n((?:\|[^\n]*\n)+)/.exec(section)?.[1] ?? '';
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '')));
}

test('a push, its decision and its end are counted, and each decision is one line that names its ids', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(JSON.parse(line)) });
  await using ame = await createAme({ log });
  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': text`
      projectname: counted
      on: push
      tasks:
        main:
          pipeline:
            good: {runcommand: "true"}
            bad: {needs: [], runcommand: exit 3}
    `,
  });
  await repository.push({ 'ame.yaml': 'projectname: counted\ntasks: [\n' });
  await ame.settle();
  const run = await ame.read.run(repository);
  const attempts = await ame.read.attempts(run);

  const answer = await fetch(`${ame.address}/metrics`, {
    headers: { authorization: `Bearer ${ame.ctx.token}` },
  });
  const families = readExposition(await answer.text());
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    families
      .flatMap(({ samples }) => samples)
      .find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))
      ?.value;
  expect(value('ame_deliveries_decided_total', { outcome: 'run' })).toBe(1);
  expect(value('ame_deliveries_decided_total', { outcome: 'problems' })).toBe(1);
  expect(value('ame_attempts_finished_total', { class: 'succeeded' })).toBe(1);
  expect(value('ame_attempts_finished_total', { class: 'exit' })).toBe(1);
  expect(value('ame_runs_finished_total', { state: 'failed' })).toBe(1);
  for (const phase of ['ready', 'queued', 'preparing', 'running', 'storing', 'recording'])
    expect(value('ame_attempt_phase_seconds_count', { phase })).toBe(2);
  expect(value('ame_open_runs', { state: 'running' })).toBeUndefined();

  const decided = lines.filter(({ msg }) => msg === 'delivery decided');
  expect(decided.map(({ outcome }) => outcome)).toEqual(['run', 'problems']);
  const delivery = decided[0]?.['delivery'];
  expect(run.deliveryId).toBe(delivery);
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'run decided', delivery, run: run.id, task: 'main' }),
  );
  for (const attempt of attempts) {
    const told = lines.filter(({ msg, attempt: id }) => msg === 'attempt' && id === attempt.id);
    expect(told.every((line) => line['run'] === run.id && line['delivery'] === delivery)).toBe(true);
    const { state, class: ending, task, number } = attempt;
    expect(told.at(-1)).toMatchObject({ state, class: ending, task, number });
  }
  expect(lines.filter(({ msg }) => msg === 'run').at(-1)).toMatchObject({
    run: run.id,
    delivery,
    state: 'failed',
  });

  const names = families.map(({ name }) => name).toSorted();
  expect([...(await documented('**Metrics.**'))].toSorted()).toEqual(names);
  const fields = await documented('**Log.**');
  const unknown = lines.flatMap((line) => Object.keys(line)).filter((name) => !fields.has(name));
  expect([...new Set(unknown)].toSorted()).toEqual(['level', 'msg', 'time']);
});

test('one reading of a server with an App and an open run has a sample of everything that is documented', async () => {
  const clock = createClock();
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  await using world = await createGithubAme({ clock, log });
  const { ame, github } = world;
  const installation = await github.addInstallation({ account: 'acme' });
  const pets = await github.addRepository(installation, { owner: 'acme', name: 'pets' });
  await world.hear();
  const file = text`
    projectname: pets
    on: push
    tasks: {main: exit 3}
    recurring_tasks:
      noon: {taskref: main, schedule: "0 12 * * *"}
  `;
  await github.push(pets, { 'ame.yaml': file });
  await world.settle();

  // Each way to a run has its line, with the ids that there are.
  const runs = async (): Promise<readonly { id: number; delivery: string | null; trigger: string }[]> => {
    const { rows } = await ame.ctx.db.orm.execute<{ id: number; delivery: string | null; trigger: string }>(
      sql`select id::int, delivery_id as delivery, trigger from runs order by id`,
    );
    return rows;
  };
  const [pushed] = await runs();
  expect((await ame.api('POST', '/runs', { project: 'pets' })).status).toBe(201);
  expect((await ame.api('POST', `/runs/${pushed?.id ?? 0}/retry`)).status).toBeLessThan(300);
  clock.advance(86_400);
  while ((await ame.loops.schedules.once()) > 0);
  const made = await runs();
  expect(made.map(({ trigger }) => trigger)).toEqual(['push', 'request', 'retry', 'tick']);
  const told = lines.filter(({ msg }) => msg === 'run decided');
  expect(told.map(({ run, trigger, task, delivery }) => ({ run, trigger, task, delivery }))).toEqual(
    made.map(({ id, trigger, delivery }) => ({
      run: id,
      trigger,
      task: 'main',
      delivery: delivery ?? undefined,
    })),
  );

  // GitHub holds the installation back, and three runs are open.
  github.rateLimit(installation, { remaining: 0, resetAt: new Date(clock.now().getTime() + 600_000) });
  await github.push(pets, { 'ame.yaml': file, again: '1' });
  await ame.loops.deliveries.once();
  const answer = await fetch(`${ame.address}/metrics`, {
    headers: { authorization: `Bearer ${ame.ctx.token}` },
  });
  const families = readExposition(await answer.text());
  expect(families.map(({ name }) => name).toSorted()).toEqual(
    [...(await documented('**Metrics.**'))].toSorted(),
  );
  expect(families.filter(({ samples }) => samples.length === 0).map(({ name }) => name)).toEqual([]);
  const samplesOf = (family: string) => families.find(({ name }) => name === family)?.samples ?? [];
  const ofInstallation = (family: string): number | undefined =>
    samplesOf(family).find(
      ({ labels }) => labels['installation'] === String(installation.id) && labels['resource'] === 'graphql',
    )?.value;
  expect(ofInstallation('ame_github_limit_remaining_requests')).toBe(0);
  expect(ofInstallation('ame_github_limit_blocked')).toBe(1);
  expect(ofInstallation('ame_github_limit_reset_timestamp_seconds')).toBe(
    Math.ceil((clock.now().getTime() + 600_000) / 1_000),
  );
  expect(samplesOf('ame_open_runs')).toEqual([
    { name: 'ame_open_runs', labels: { state: 'queued' }, value: 3 },
  ]);
  expect(samplesOf('ame_open_attempts').map(({ value }) => value)).toEqual([3]);
  const connections = samplesOf('ame_database_connections');
  expect(connections.map(({ labels }) => labels['state'] ?? '').toSorted()).toEqual(['idle', 'used']);
  expect(connections.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(0);
  expect(samplesOf('ame_database_waiting_queries').map(({ value }) => value)).toEqual([0]);
});
