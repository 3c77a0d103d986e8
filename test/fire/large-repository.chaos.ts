import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { git } from '../git/real-git.ts';
import { openLargeHouse, type LargeHouse, type SeenRun } from './large-server.ts';

/**
 * Repositories as large as the docs say, pushed by a real git to a real server. Minutes and gigabytes, so that a lane
 * that is bounded leaves them out: `npm run test:chaos -- large` plays them alone.
 */
const said = (name: string, otherwise: number): number =>
  Number(process.env[`AME_FIRE_${name}`] ?? otherwise);
const [files, refs, mebibytes] = [said('FILES', 100_000), said('REFS', 10_000), said('MEBIBYTES', 1_024)];
const bounded = process.env['AME_FIRE_MINUTES'] !== undefined && process.env['AME_FIRE_FILES'] === undefined;
if (bounded)
  console.log(
    'skipped: 100,000 files, 10,000 refs and a file of 1 GiB are for a lane without AME_FIRE_MINUTES',
  );

/** Refs that one push may name. */
const refsAtOnce = 50;
/** What the server's own process may hold: its heap of 512 MiB, and what is beside it. */
const mostMiB = 1_024;
const committer = 'committer Ada <ada@example.com> 1767323045 +0000\n';
const file = (command: string): string =>
  `projectname: large\non: {push: {branches: [main]}}\ntasks:\n  main: {runcommand: '${command}'}\n`;

function blob(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** A commit of `main` on top of what it is. */
function* commitOf(
  command: string,
  changes: Iterable<string | Uint8Array>,
  on = '',
): Iterable<string | Uint8Array> {
  yield `commit refs/heads/main\n${committer}data 1\nx\n${on}M 100644 inline ame.yaml\n${blob(file(command))}`;
  yield* changes;
  yield '\n';
}

async function endOf(house: LargeHouse): Promise<{ readonly run: SeenRun; readonly log: string }> {
  const run = (await house.over()).at(-1);
  if (!run) throw new Error('there is no run');
  return { run, log: await house.log(run) };
}

async function storedNow(house: LargeHouse): Promise<{ readonly blobs: number; readonly read: number }> {
  const [row] = await house.ask<{ blobs: number; read: number }>(
    'select (select count(*) from blobs)::int as blobs, (select count(*) from source_objects)::int as read',
  );
  return row ?? { blobs: 0, read: 0 };
}

test.skipIf(bounded)(`${files} files are counted by a task, and one that changes costs one`, async () => {
  await using house = await openLargeHouse();
  const count = 'find data -type f | wc -l; cat data/0/0';
  await house.fastImport(
    commitOf(
      count,
      (function* () {
        for (let at = 0; at < files; at += 1)
          yield `M 100644 inline data/${at % 100}/${at}\n${blob(`file ${at}`)}`;
      })(),
    ),
  );
  const first = await house.push('main');
  expect(first.code, first.err).toBe(0);
  const one = await endOf(house);
  expect(one.run.state, one.log).toBe('succeeded');
  expect(one.log).toContain(`${files}\nfile 0`);
  const before = await storedNow(house);
  expect(before.blobs).toBeGreaterThan(files);
  const peak = await house.peakMiB();

  await house.fastImport(
    commitOf(count, [`M 100644 inline data/0/0\n${blob('changed')}`], 'from refs/heads/main^0\n'),
  );
  const second = await house.push('main');
  expect(second.code, second.err).toBe(0);
  const other = await endOf(house);
  expect(other.run.state, other.log).toBe('succeeded');
  expect(other.log).toContain(`${files}\nchanged`);
  const after = await storedNow(house);
  console.log(
    `${files} files: ${before.blobs} blobs stored, then ${after.blobs - before.blobs} more, ` +
      `${after.read - before.read} objects of git read for one changed file; ` +
      `the server held ${peak} MiB at most, ${await house.peakMiB()} MiB in the end`,
  );
  // The file, the tree of all, and what the attempt said and left.
  expect(after.blobs - before.blobs).toBeLessThanOrEqual(10);
  expect(after.read - before.read).toBeLessThanOrEqual(10);
  expect(await house.peakMiB()).toBeLessThan(mostMiB);
});

test.skipIf(bounded)(`${refs} refs are pushed in parts, and the default branch runs`, async () => {
  await using house = await openLargeHouse();
  const names = Array.from({ length: refs }, (_, at) =>
    at % 2 === 0 ? `refs/tags/v${at}` : `refs/heads/b${at}`,
  );
  await house.fastImport(
    (function* () {
      yield* commitOf('echo one', []);
      for (const name of names) yield `reset ${name}\nfrom refs/heads/main\n\n`;
    })(),
  );
  // The whole of it is refused whole, with words.
  const whole = await house.push('main', ...names.slice(0, refsAtOnce));
  expect([whole.code, whole.err]).toEqual([1, expect.stringContaining(`AME takes ${refsAtOnce}`)]);
  expect(await house.ask('select from heads')).toEqual([]);
  const main = await house.push('main');
  expect(main.code, main.err).toBe(0);
  for (let at = 0; at < refs; at += refsAtOnce) {
    const part = await house.push(...names.slice(at, at + refsAtOnce));
    expect(part.code, part.err).toBe(0);
  }
  expect((await house.over()).map(({ state }) => state)).toEqual(['succeeded']);
  const told = (): Promise<readonly { told: number }[]> =>
    house.ask('select count(*)::int as told from deliveries where decided_at is not null');
  expect(await told()).toEqual([{ told: refs + 1 }]);

  // A start compares every ref with where it was last seen, and finds nothing that it was not told.
  await house.restart();
  await house.fastImport(commitOf('echo two', [], 'from refs/heads/main^0\n'));
  const next = await house.push('main');
  expect(next.code, next.err).toBe(0);
  const { run, log } = await endOf(house);
  expect([run.state, log]).toEqual(['succeeded', expect.stringContaining('two')]);
  expect(await told()).toEqual([{ told: refs + 2 }]);
  expect(await house.ask('select from heads')).toHaveLength(refs + 1);
  for (const path of ['/', `/runs/${run.id}`, `/commits/${run.commit}`, '/api/v1/runs'])
    expect([path, (await house.get(path)).status]).toEqual([path, 200]);
  expect(await house.ame('runs')).toContain('main');
  expect(
    (await git(house.clone, 'ls-remote', house.server().cloneUrl('team', 'large'))).split('\n'),
  ).toHaveLength(refs + 2);
  console.log(
    `${refs} refs: ${refs + 2} deliveries, 2 runs; the server held ${await house.peakMiB()} MiB at most`,
  );
  expect(await house.peakMiB()).toBeLessThan(mostMiB);
});

test.skipIf(bounded)(`a file of ${mebibytes} MiB is pushed, and a task reads it`, async () => {
  await using house = await openLargeHouse();
  const megabyte = randomBytes(2 ** 20);
  await house.fastImport(
    commitOf(
      'wc -c < big; head -c 1048576 big | sha256sum; echo made > made',
      (function* () {
        yield `M 100644 inline big\ndata ${mebibytes * 2 ** 20}\n`;
        for (let at = 0; at < mebibytes; at += 1) yield megabyte;
        yield '\n';
      })(),
    ),
  );
  const pushed = await house.push('main');
  expect(pushed.code, pushed.err).toBe(0);
  const { run, log } = await endOf(house);
  expect(run.state, log).toBe('succeeded');
  expect(log).toContain(`${mebibytes * 2 ** 20}\n`);
  // What the task did not change is stored once: the file, the tree, `ame.yaml`, what was made, the logs.
  const stored = await house.ask<{ size: number }>(
    'select size::float8 as size from blobs order by size desc',
  );
  expect(stored.filter(({ size }) => size >= mebibytes * 2 ** 20)).toHaveLength(1);
  console.log(`a file of ${mebibytes} MiB: the server held ${await house.peakMiB()} MiB at most`);
  expect(await house.peakMiB()).toBeLessThan(mostMiB);
});
