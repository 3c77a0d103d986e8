import { sql } from 'drizzle-orm';
import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setHead } from '../../src/git/host.ts';
import { recordMoves } from '../../src/db/moves.ts';
import { findLocalRepository } from '../../src/db/repositories.ts';
import { createAme, createStoppedClock, type Ame, type Clock, type Repository } from './harness.ts';

let clock: Clock;
let ame: Ame;
beforeAll(async () => {
  clock = createStoppedClock();
  ame = await createAme({ clock });
});
afterAll(() => ame[Symbol.asyncDispose]());

// A schedule of one test would tick in the time of the next one.
beforeEach(() => ame.ctx.db.orm.execute(sql`delete from schedules`));

const fileWith = (schedules: string, command = '"true"'): string =>
  `projectname: clockwork\ntasks:\n  main: ${command}\nrecurring_tasks:\n${schedules}`;
const daily = '  noon: {taskref: main, schedule: "0 12 * * *"}\n';
const hourMs = 3_600_000;

/** Steps the schedules alone until none is due. What they make does not run. */
async function tick(of: Ame = ame): Promise<void> {
  while ((await of.loops.schedules.once()) > 0);
}

/** Moves the clock to the next moment that is a whole multiple of so many seconds. */
function advanceTo(seconds: number): Date {
  const left = seconds * 1_000 - (clock.now().getTime() % (seconds * 1_000));
  clock.advance(left / 1_000);
  return clock.now();
}

/** As if all that was made had run, and ended like this. */
async function endRuns(state: 'succeeded' | 'failed' = 'succeeded'): Promise<void> {
  const { orm, now } = ame.ctx.db;
  const outcome = state === 'failed' ? 'exit' : state;
  await orm.execute(sql`update attempts set state = ${state}, class = ${outcome}, finished_at = ${now()}
    where finished_at is null`);
  await orm.execute(sql`update runs set state = ${state}, class = ${outcome}, finished_at = ${now()},
    started_at = ${now()}, due_at = '2100-01-01' where finished_at is null`);
}

async function causes(repository: Repository): Promise<readonly string[]> {
  return (await ame.read.runs(repository)).map((run) => run.causeKey);
}

/** Rule, and how many ticks, of each decision about a tick. */
async function skipped(repository: Repository): Promise<readonly string[]> {
  const rows = await ame.read.decisions(repository);
  return rows.flatMap(({ trigger, outcome, rule, ticks }) =>
    trigger === 'tick' && outcome !== 'run' ? [`${rule} x${ticks}`] : [],
  );
}

type Shown = {
  readonly state: string;
  readonly reason: string | null;
  readonly next: readonly string[];
  readonly driftSeconds: number | null;
  readonly failing: { readonly count: number; readonly class: string } | null;
};

async function shown(name: string): Promise<Shown> {
  const { status, body } = await ame.api('GET', `/projects/clockwork/schedules/${name}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Shown;
}

/** A repository whose project alone is called `clockwork`, until the next one is made. */
async function pushed(file: string): Promise<Repository & { readonly head: string }> {
  await ame.ctx.db.orm.execute(sql`update projects set name = 'earlier'`);
  const repository = await ame.repository();
  const { commit } = await repository.push({ 'ame.yaml': file });
  return { ...repository, head: commit };
}

test('a tick becomes a run of the commit that the default branch has, once, and never before its time', async () => {
  const repository = await pushed(fileWith('  minutely: {taskref: main, schedule: "* * * * *"}\n'));
  await ame.settle();
  const untilTick = 60_000 - (clock.now().getTime() % 60_000);
  clock.advance((untilTick - 1) / 1_000);
  await ame.settle();
  expect(await ame.read.runs(repository)).toEqual([]);
  clock.advance(0.001);
  const nominal = clock.now().toISOString();
  await ame.settle();
  await ame.settle();
  const { head: commit } = repository;
  const expected = { trigger: 'tick', commit, ref: 'refs/heads/main', causeKey: `tick:minutely:${nominal}` };
  expect(await ame.read.runs(repository)).toMatchObject([{ ...expected, state: 'succeeded' }]);
  const [run] = await ame.read.runs(repository);
  expect((await ame.read.check(commit, run ?? null)).says.conclusion).toBe('success');
});

describe('a month of ticks', () => {
  const sixHours = 6 * 3_600;

  test('with outages of a minute, a day and a week, and a clock that steps back: never twice, never none', async () => {
    const repository = await pushed(
      fileWith('  often: {taskref: main, schedule: "0 */6 * * *", catchup: all, overlap: allow}\n'),
    );
    const from = clock.now().getTime();
    const steps = [sixHours, sixHours + 60, 5 * sixHours, 86_400 + 17, sixHours - 40, 7 * 86_400];
    for (let round = 0; clock.now().getTime() < from + 30 * 86_400_000; round += 1) {
      clock.advance(steps[round % steps.length] ?? sixHours);
      await tick();
      // An hour that is lived through once more.
      clock.advance(-3_600);
      await tick();
      clock.advance(3_600);
      await tick();
    }
    const expected: string[] = [];
    const step = sixHours * 1_000;
    for (let at = Math.ceil((from + 1) / step) * step; at <= clock.now().getTime(); at += step)
      expected.push(`tick:often:${new Date(at).toISOString()}`);
    expect(await causes(repository)).toEqual(expected);
  });

  test('catchup last and none make one run and no run of it, and say what was missed', async () => {
    const repository = await pushed(
      fileWith(
        '  last: {taskref: main, schedule: "0 */6 * * *", overlap: allow}\n' +
          '  none: {taskref: main, schedule: "0 */6 * * *", overlap: allow, catchup: none}\n',
      ),
    );
    advanceTo(sixHours);
    clock.advance(30 * 86_400 + 60);
    await tick();
    expect(await causes(repository)).toHaveLength(1);
    expect((await skipped(repository)).toSorted()).toEqual(['catchup-last x120', 'catchup-none x121']);
    const at = advanceTo(sixHours).toISOString();
    await tick();
    expect((await causes(repository)).slice(1).toSorted()).toEqual([`tick:last:${at}`, `tick:none:${at}`]);
  });
});

test('three replicas on the same second make one run of each tick', async () => {
  const repository = await pushed(
    fileWith(
      Array.from({ length: 9 }, (_, at) => `  s${at}: {taskref: main, schedule: "* * * * *"}\n`).join(''),
    ),
  );
  const beside = (name: string): Promise<Ame> =>
    createAme({ clock, beside: ame, env: { AME_HOST_NAME: name } });
  await using second = await beside('second');
  await using third = await beside('third');
  advanceTo(60);
  const looks = [ame, second, third, ame, second, third].map((one) => one.loops.schedules.once());
  await Promise.all(looks);
  await tick();
  const found = await causes(repository);
  expect(found).toHaveLength(9);
  expect(new Set(found).size).toBe(9);
});

test('a claim that was cut on the second is taken by whoever comes next', async () => {
  const repository = await pushed(fileWith(daily));
  const { orm, now } = ame.ctx.db;
  const at = advanceTo(86_400 / 2).getUTCHours() === 12 ? clock.now() : advanceTo(86_400 / 2);
  // Claimed by a worker whose process is gone.
  await orm.execute(sql`update schedules set claimed_by = 2000000000, claimed_until = ${now()} + interval '60 seconds',
    due_at = ${now()} + interval '60 seconds'`);
  await tick();
  await tick();
  expect(await causes(repository)).toEqual([`tick:noon:${at.toISOString()}`]);
});

describe('overlap', () => {
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['skip', ['queued'], ['overlap-skip x1', 'overlap-skip x1']],
    ['queue', ['queued', 'queued superseded', 'queued'], []],
    ['allow', ['queued', 'queued', 'queued'], []],
  ];
  test.each(rows)('%s, while the first run goes on', async (overlap, states, missed) => {
    const repository = await pushed(
      fileWith(`  often: {taskref: main, schedule: "* * * * *", overlap: ${overlap}}\n`),
    );
    for (let round = 0; round < 3; round += 1) {
      advanceTo(60);
      await tick();
      // The first one runs; those after it wait.
      if (round === 0)
        await ame.ctx.db.orm.execute(
          sql`update runs set started_at = ${ame.ctx.db.now()} where state = 'queued'`,
        );
    }
    const runs = await ame.read.runs(repository);
    expect(
      runs.map((run) => `${run.state}${run.cancelReason === null ? '' : ` ${run.cancelReason}`}`),
    ).toEqual(states);
    expect(await skipped(repository)).toEqual(missed);
    // The list tells the last run also where no tick made one since.
    const last = expect.arrayContaining([
      expect.objectContaining({ run: expect.objectContaining({ state: 'queued' }) }),
    ]);
    expect((await ame.api('GET', '/schedules?project=clockwork')).body).toMatchObject({
      schedules: [{ last }],
    });
    await endRuns();
  });

  test('a tick takes the place of waiting ticks, and of nothing that a person asked for', async () => {
    const repository = await pushed(
      fileWith('  often: {taskref: main, schedule: "* * * * *", overlap: queue}\n'),
    );
    advanceTo(60);
    await tick();
    const [first] = await ame.read.runs(repository);
    // It failed and is tried again; and its schedule is asked to run now. Neither has begun.
    await endRuns('failed');
    expect((await ame.api('POST', `/runs/${first?.id}/retry`)).status).toBe(201);
    expect((await ame.api('POST', '/projects/clockwork/schedules/often/runs')).status).toBe(201);
    for (let round = 0; round < 2; round += 1) {
      advanceTo(60);
      await tick();
    }
    const runs = await ame.read.runs(repository);
    expect(runs.map(({ trigger, cancelReason }) => `${trigger} ${cancelReason ?? 'stays'}`)).toEqual([
      'tick stays',
      'retry stays',
      'request stays',
      'tick superseded',
      'tick stays',
    ]);
    await endRuns();
  });
});

describe('the file of the default branch', () => {
  test('changes, renames and removes schedules with the push; another branch changes nothing', async () => {
    const repository = await pushed(fileWith(daily));
    const before = (await shown('noon')).next;
    await repository.push({ 'ame.yaml': fileWith('  noon: {taskref: main, schedule: "0 13 * * *"}\n') });
    const after = (await shown('noon')).next;
    expect([before, after].map(([first = '']) => first.slice(11, 16))).toEqual(['12:00', '13:00']);
    await repository.push(
      { 'ame.yaml': fileWith('  other: {taskref: main, schedule: "@hourly"}\n') },
      { branch: 'work' },
    );
    expect((await shown('noon')).next).toEqual(after);
    await repository.push(
      { 'ame.yaml': fileWith('  renamed: {taskref: main, schedule: "0 13 * * *"}\n') },
      { branch: 'main' },
    );
    expect((await ame.api('GET', '/projects/clockwork/schedules/noon')).status).toBe(404);
    expect((await shown('renamed')).next).toEqual(after);
    await repository.push(
      { 'ame.yaml': 'projectname: clockwork\ntasks:\n  main: "true"\n' },
      { branch: 'main' },
    );
    expect((await ame.api('GET', '/schedules?project=clockwork')).body).toEqual({
      schedules: [],
      next: null,
    });
  });

  test('that is broken leaves the last good schedules running at the new commit, and says so', async () => {
    const repository = await pushed(fileWith(daily));
    const broken = await repository.push({
      'ame.yaml': fileWith('  noon: {taskref: nothing, schedule: "@daily"}\n'),
    });
    const said = (await ame.read.check(broken.commit, null)).says;
    expect(said.conclusion).toBe('failure');
    expect(said.lines.join('\n')).toMatch(
      /the schedules go on as the last good file .*commit [0-9a-f]{12}.*\n {2}noon of main: next/,
    );
    expect(said.lines.join('\n')).toContain(repository.head.slice(0, 12));
    clock.advance(86_400);
    await tick();
    expect(await ame.read.runs(repository)).toMatchObject([{ trigger: 'tick', commit: broken.commit }]);
    await endRuns();
  });

  test('that was pushed before the tick and is not decided yet is awaited, and says what the tick runs', async () => {
    const repository = await pushed(fileWith(daily));
    const row = await findLocalRepository(ame.ctx.db, repository);
    if (!row) throw new Error('the push made the repository');
    const next = await repository.commit({ 'ame.yaml': fileWith(daily, 'echo other') });
    await repository.git('push', '--quiet', ame.ctx.directoryOf(row), 'main');
    const moved = { ref: 'refs/heads/main', before: repository.head, after: next };
    await recordMoves(ame.ctx.db, row.id, [moved], null);
    clock.advance(86_400);
    await tick();
    expect(await causes(repository)).toEqual([]);
    expect(await shown('noon')).toMatchObject({
      state: 'held',
      reason: expect.stringContaining('decided first'),
    });
    await ame.loops.deliveries.once();
    clock.advance(1);
    await tick();
    const [run] = await ame.read.runs(repository);
    expect(run).toMatchObject({ trigger: 'tick', commit: next });
    expect(run?.plan.tasks[0]?.script).toContain('echo other');
    await endRuns();
  });

  test('shows the next five ticks in the zone of the schedule', async () => {
    const repository = await pushed(
      fileWith('  noon: {taskref: main, schedule: "0 12 * * *", timezone: Asia/Kathmandu}\n'),
    );
    const { says } = await ame.read.check(repository.head, null);
    const line = says.lines.find((text) => text.includes('noon'));
    expect(line).toMatch(
      /^ {2}noon of main: next (\w{3} \d{4}-\d\d-\d\d 12:00, ){4}\w{3} \d{4}-\d\d-\d\d 12:00 \(Asia\/Kathmandu\)$/,
    );
    expect(says.summary).toContain('12&#58;00');
  });

  test('is another one once the default branch is: its schedules move with it', async () => {
    const repository = await pushed(fileWith(daily));
    await repository.push(
      { 'ame.yaml': fileWith('  work: {taskref: main, schedule: "@hourly"}\n') },
      { branch: 'work' },
    );
    const row = await findLocalRepository(ame.ctx.db, repository);
    if (!row) throw new Error('the push made the repository');
    await setHead(ame.ctx.directoryOf(row), 'refs/heads/work');
    await ame.sweep();
    await ame.settle();
    const { body } = await ame.api('GET', '/schedules?project=clockwork');
    expect(body).toMatchObject({ schedules: [{ name: 'work' }] });
    const decisions = await ame.read.decisions(repository);
    expect(decisions.at(-1)?.rule).toBe('nothing-pushed');
  });
});

test('of many schedules only what the push changes is touched', async () => {
  const many = (changed: string): string =>
    fileWith(
      Array.from(
        { length: 250 },
        (_, at) => `  s${at}: {taskref: main, schedule: "${at === 7 ? changed : '@yearly'}"}\n`,
      ).join(''),
    );
  const repository = await pushed(many('@yearly'));
  const read = async () => {
    const { rows } = await ame.ctx.db.orm.execute<{ name: string; xmin: string }>(
      sql`select name, xmin::text from schedules order by id`,
    );
    return rows;
  };
  const before = await read();
  expect(before).toHaveLength(250);
  await repository.push({ 'ame.yaml': many('@monthly') });
  const after = await read();
  expect(after.filter(({ xmin }, at) => xmin !== before[at]?.xmin).map(({ name }) => name)).toEqual(['s7']);
});

test('a person pauses it, over pushes and outages, and resumes it from then on', async () => {
  const repository = await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n'));
  expect((await ame.api('POST', '/projects/clockwork/schedules/hourly/pause')).status).toBe(200);
  await repository.push({ 'ame.yaml': fileWith('  hourly: {taskref: main, schedule: "30 * * * *"}\n') });
  clock.advance(2 * 86_400);
  await tick();
  expect(await causes(repository)).toEqual([]);
  expect(await shown('hourly')).toMatchObject({ state: 'paused', next: [] });
  await ame.api('POST', '/projects/clockwork/schedules/hourly/resume');
  await tick();
  expect(await causes(repository)).toEqual([]);
  clock.advance(3_600);
  await tick();
  expect(await causes(repository)).toHaveLength(1);
  expect((await shown('hourly')).state).toBe('active');
  await endRuns();
});

test('what a person paused stays paused also where the file loses it and names it again', async () => {
  const hourly = '  hourly: {taskref: main, schedule: "@hourly"}\n';
  const repository = await pushed(fileWith(hourly + daily));
  await ame.api('POST', '/projects/clockwork/schedules/hourly/pause');
  await repository.push({ 'ame.yaml': fileWith(daily) });
  expect((await ame.api('GET', '/projects/clockwork/schedules/hourly')).status).toBe(404);
  expect((await ame.api('POST', '/projects/clockwork/schedules/hourly/resume')).status).toBe(404);
  expect((await ame.api('GET', '/schedules?project=clockwork')).body).toMatchObject({
    schedules: [{ name: 'noon' }],
  });
  const back = await repository.push({ 'ame.yaml': fileWith(hourly) });
  const { says } = await ame.read.check(back.commit, null);
  expect(says.lines).toContain('  hourly of main: paused by a person');
  expect(await shown('hourly')).toMatchObject({ state: 'paused', next: [] });
  clock.advance(86_400);
  await tick();
  expect(await causes(repository)).toEqual([]);
  await ame.api('POST', '/projects/clockwork/schedules/hourly/resume');
  clock.advance(3_600);
  await tick();
  clock.advance(3_600);
  await tick();
  expect((await shown('hourly')).state).toBe('active');
  expect((await causes(repository)).length).toBeGreaterThan(0);
  await endRuns();
});

test('where the repository cannot be read its ticks wait with a reason, and go on by themselves', async () => {
  const repository = await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n'));
  const row = await findLocalRepository(ame.ctx.db, repository);
  if (!row) throw new Error('the push made the repository');
  const directory = ame.ctx.directoryOf(row);
  await rename(directory, `${directory}.away`);
  clock.advance(3_600);
  await tick();
  expect(await shown('hourly')).toMatchObject({
    state: 'held',
    reason: expect.stringContaining('cannot be read'),
  });
  expect(await causes(repository)).toEqual([]);
  await rename(`${directory}.away`, directory);
  clock.advance(61);
  await tick();
  expect(await causes(repository)).toHaveLength(1);
  expect((await shown('hourly')).state).toBe('active');
  await endRuns();
});

test('the page says how late the last tick was, and how many were missed', async () => {
  await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n'));
  advanceTo(3_600);
  clock.advance(3 * 3_600);
  await tick();
  await endRuns();
  const page = await fetch(`${ame.address}/?project=clockwork`, {
    headers: { authorization: `Bearer ${ame.ctx.token}` },
  });
  expect(await page.text()).toContain('<small>drift 0.0 s, 3 missed</small>');
});

test('one bad row holds up no other, whether its tick is due or is to be found', async () => {
  const repository = await pushed(
    fileWith(
      ['bad', 'worse', 'good'].map((name) => `  ${name}: {taskref: main, schedule: "@hourly"}\n`).join(''),
    ),
  );
  const { orm } = ame.ctx.db;
  await orm.execute(sql`update schedules set zone = 'No/Where' where name <> 'good'`);
  const at = advanceTo(3_600).toISOString();
  await orm.execute(sql`update schedules set next_tick_at = null, due_at = ${ame.ctx.db.now()}
    where name = 'worse'`);
  await ame.loops.schedules.once();
  expect(await causes(repository)).toEqual([`tick:good:${at}`]);
  const { rows } = await orm.execute(sql`select name, failures, claimed_by from schedules order by name`);
  expect(rows).toEqual([
    { name: 'bad', failures: 1, claimed_by: null },
    { name: 'good', failures: 0, claimed_by: null },
    { name: 'worse', failures: 1, claimed_by: null },
  ]);
  await endRuns();
});

test('one that failed too often says so, and how it is released', async () => {
  await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n'));
  await ame.ctx.db.orm.execute(sql`update schedules set failures = 20, last_error = 'it broke'`);
  const row = await ame.ctx.db.orm.execute<{ id: string }>(sql`select id from schedules`);
  const reason = `It failed 20 times and waits for \`ame release schedules ${row.rows[0]?.id}\`: it broke`;
  expect(await shown('hourly')).toMatchObject({ state: 'held', reason });
});

test('a push that nobody decides is awaited for so short a time that `catchup: none` still ticks', async () => {
  const repository = await pushed(
    fileWith('  hourly: {taskref: main, schedule: "@hourly", catchup: none}\n'),
  );
  const row = await findLocalRepository(ame.ctx.db, repository);
  if (!row) throw new Error('the push made the repository');
  const next = await repository.commit({ 'ame.yaml': fileWith(daily) });
  await repository.git('push', '--quiet', ame.ctx.directoryOf(row), 'main');
  await recordMoves(
    ame.ctx.db,
    row.id,
    [{ ref: 'refs/heads/main', before: repository.head, after: next }],
    null,
  );
  advanceTo(3_600);
  // Half a minute of looks at most.
  for (let looks = 0; looks < 30; looks += 1) {
    await tick();
    clock.advance(1);
  }
  expect(await skipped(repository)).toEqual([]);
  expect(await ame.read.runs(repository)).toMatchObject([{ trigger: 'tick', commit: next }]);
  await ame.loops.deliveries.once();
  await endRuns();
});

test('ticks that are made up for together have the plans of their own tasks', async () => {
  const repository = await pushed(
    'projectname: clockwork\ntasks: {one: echo 1, two: echo 2}\nrecurring_tasks:\n' +
      '  one: {taskref: one, schedule: "* * * * *", catchup: all}\n' +
      '  two: {taskref: two, schedule: "*/30 * * * *", catchup: all}\n',
  );
  clock.advance(7_200);
  await tick();
  const runs = await ame.read.runs(repository);
  const scripts = Map.groupBy(runs, ({ task, plan }) => `${task}: ${plan.tasks[0]?.script}`);
  expect([...scripts].map(([script, all]) => `${script} x${all.length}`).toSorted()).toEqual([
    'one: echo 1 x100',
    'two: echo 2 x4',
  ]);
  expect(new Set(runs.map(({ number }) => number)).size).toBe(104);
  await endRuns();
});

test('run-now makes one run of the schedule at the default branch, and three failures are told on its line', async () => {
  const repository = await pushed(fileWith('  daily: {taskref: main, schedule: "@daily"}\n', 'exit 3'));
  for (let round = 0; round < 3; round += 1) {
    const asked = await ame.api('POST', '/projects/clockwork/schedules/daily/runs');
    expect(asked.status).toBe(201);
    await ame.settle();
  }
  expect(await ame.read.runs(repository)).toMatchObject(
    Array.from({ length: 3 }, () => ({ trigger: 'request', commit: repository.head, state: 'failed' })),
  );
  expect((await shown('daily')).failing).toMatchObject({ count: 3, class: 'exit' });
  const [run] = await ame.read.runs(repository);
  expect((await ame.read.check(repository.head, run ?? null)).says.conclusion).toBe('failure');
  const page = await fetch(`${ame.address}/`, { headers: { authorization: `Bearer ${ame.ctx.token}` } });
  expect(await page.text()).toMatch(/Failing since[\s\S]*3 in a row/);
});

test('a tick whose run fails makes the check of its commit fail', async () => {
  const repository = await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n', 'exit 3'));
  advanceTo(3_600);
  await ame.settle();
  const [run] = await ame.read.runs(repository);
  expect(run).toMatchObject({ trigger: 'tick', commit: repository.head, state: 'failed' });
  expect((await ame.read.check(repository.head, run ?? null)).says.conclusion).toBe('failure');
});

test('a retry that ends well ends the row of failures', async () => {
  const repository = await pushed(fileWith('  hourly: {taskref: main, schedule: "@hourly"}\n'));
  for (let round = 0; round < 3; round += 1) {
    advanceTo(3_600);
    await tick();
    await endRuns('failed');
  }
  const last = (await ame.read.runs(repository)).at(-1);
  const retry = async (end: 'succeeded' | 'failed'): Promise<void> => {
    expect((await ame.api('POST', `/runs/${last?.id}/retry`)).status).toBe(201);
    // While it goes on nothing is mended.
    expect((await shown('hourly')).failing).toMatchObject({ count: 3 });
    await endRuns(end);
  };
  await retry('failed');
  const again = (await ame.read.runs(repository)).at(-1);
  expect((await shown('hourly')).failing).toMatchObject({ count: 3, runId: again?.id });
  await retry('succeeded');
  expect(await shown('hourly')).toMatchObject({
    failing: null,
    last: [
      { run: { id: last?.id, state: 'failed', retry: { number: 5, state: 'succeeded' } } },
      { run: { state: 'failed', retry: null } },
      { run: { state: 'failed', retry: null } },
    ],
  });
  const page = await fetch(`${ame.address}/?project=clockwork`, {
    headers: { authorization: `Bearer ${ame.ctx.token}` },
  });
  expect(await page.text()).not.toContain('Failing since');
});

test('a schedule that was there before it could tick is looked at, and finds its first tick', async () => {
  const repository = await pushed(fileWith(daily));
  await ame.ctx.db.orm.execute(sql`update schedules set next_tick_at = null, due_at = ${ame.ctx.db.now()}`);
  await tick();
  expect(await causes(repository)).toEqual([]);
  clock.advance(24 * (hourMs / 1_000));
  await tick();
  expect(await causes(repository)).toHaveLength(1);
  await endRuns();
});
