import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { readExposition } from '../server/exposition.ts';
import { createAme } from './harness.ts';
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
