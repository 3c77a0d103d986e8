import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { isKept } from '../../src/attempt/trees.ts';
import { digestOf } from '../../src/core/snapshot.ts';
import { insertArtifacts, insertBlobs, visibleBlobs } from '../../src/db/blobs.ts';
import { dropBlobs } from '../../src/db/retention.ts';
import { foldersOf, sweepRetention, type Swept } from '../../src/worker/retention.ts';
import { createAme, createClock, type Ame, type AmeOptions, type Clock } from '../journeys/harness.ts';
import { text } from '../journeys/text.ts';
import { createFakeS3 } from '../storage/s3-fake.ts';

const daySeconds = 86_400;
const never = new AbortController().signal;

const file = text`
  projectname: kept
  on: push
  tasks:
    main:
      pipeline:
        make: {runcommand: echo made > result; echo said, artifacts: [result]}
        use: {needs: [make], runcommand: cat result; exit 1}
`;

function sweep({ ctx }: Ame, stepRows = 1_000): Promise<Swept> {
  const { db, storage, log, config } = ctx;
  return sweepRetention({ db, storage, log, keep: config.retention, stepRows }, never);
}

async function count(ame: Ame, table: string): Promise<number> {
  const { rows } = await ame.ctx.db.orm.execute<{ count: number }>(
    sql`select count(*)::int as count from ${sql.identifier(table)}`,
  );
  return rows[0]?.count ?? -1;
}

/** What the rows say that the store holds, and does not. */
async function missing(ame: Ame): Promise<readonly string[]> {
  const { rows } = await ame.ctx.db.orm.execute<{ digest: string }>(sql`select digest from blobs`);
  const there = await ame.ctx.storage.present(rows.map(({ digest }) => digest));
  return rows.map(({ digest }) => digest).filter((digest) => !there.has(digest));
}

async function ranThrough(ame: Ame, clock: Clock) {
  const repository = await ame.repository();
  const pushed = await repository.push({ 'ame.yaml': file, 'data.txt': 'data' });
  await ame.settle();
  // The logs become blobs.
  clock.advance(120);
  await ame.settle();
  return { repository, pushed, run: await ame.read.run(repository) };
}

const stores: readonly (readonly [
  name: string,
  open: () => Promise<AsyncDisposable & { env: AmeOptions['env'] & object }>,
])[] = [
  ['a directory', () => Promise.resolve({ env: {}, [Symbol.asyncDispose]: () => Promise.resolve() })],
  [
    'a bucket',
    async () => {
      const fake = await createFakeS3();
      const { endpoint, bucket, accessKeyId, secretAccessKey } = fake.options;
      return {
        env: {
          AME_S3_ENDPOINT: endpoint,
          AME_S3_BUCKET: bucket,
          AME_S3_ACCESS_KEY_ID: accessKeyId,
          AME_S3_SECRET_ACCESS_KEY: secretAccessKey,
        },
        [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
      };
    },
  ],
];

test.each(stores)(
  'in %s everything goes when its time is over, and what is run then has all that it needs',
  async (_, open) => {
    await using store = await open();
    const clock = createClock();
    await using ame = await createAme({ clock, env: store.env });
    const { repository, pushed, run } = await ranThrough(ame, clock);
    const nothing = { logs: 0, artifacts: 0, bodies: 0, workspaces: 0, refs: 0, strays: 0, blobs: 0 };
    expect(await sweep(ame)).toEqual(nothing);

    clock.advance(20 * daySeconds);
    const first = await sweep(ame);
    expect(first).toMatchObject({ logs: 0, artifacts: 0, bodies: 0 });
    expect(first.workspaces).toBeGreaterThan(2);
    expect(first.blobs).toBeGreaterThan(0);
    expect(await missing(ame)).toEqual([]);
    // What a person gets back is still there.
    expect(await ame.read.log(run, 'make')).toBe('said\n');
    const [artifact] = await ame.read.artifacts(run, 'make');
    expect(artifact && (await ame.read.content(artifact))).toBe('made\n');

    // By now a retry finds no workspace to go on from, and starts from the commit.
    const retried = await ame.api('POST', `/runs/${run.id}/retry`);
    expect(retried.status).toBe(201);
    await ame.settle();
    const again = await ame.read.run(repository);
    expect(await ame.read.states(again)).toEqual(['make succeeded', 'use failed exit']);
    expect((await ame.read.attempts(again)).map(({ reusedFrom }) => reusedFrom)).toEqual([null, null]);
    expect(await missing(ame)).toEqual([]);

    // Its logs become blobs before, and not by chance.
    clock.advance(120);
    await ame.settle();
    clock.advance(200 * daySeconds);
    await ame.settle();
    const last = await sweep(ame);
    expect(last).toMatchObject({ logs: 4, artifacts: 2, bodies: 1 });
    expect([await count(ame, 'blobs'), await count(ame, 'blob_refs'), await count(ame, 'artifacts')]).toEqual(
      [0, 0, 0],
    );
    expect(await sweep(ame)).toEqual(nothing);
    // What was decided, and how it ended, stays.
    expect(await ame.read.states(again)).toEqual(['make succeeded', 'use failed exit']);
    expect((await ame.read.decisions(repository)).length).toBeGreaterThan(0);
    expect((await ame.api('GET', `/commits/${pushed.commit}`)).status).toBe(200);
    expect((await ame.api('GET', `/runs/${run.id}`)).status).toBe(200);
    expect(await ame.read.log(again, 'make')).toBe('');
  },
);

test('what another run still needs, or somebody has just been told of, stays', async () => {
  const clock = createClock();
  await using ame = await createAme({ clock });
  const old = await ranThrough(ame, clock);
  clock.advance(13 * daySeconds);
  const young = await ranThrough(ame, clock);
  clock.advance(2 * daySeconds);
  const data = digestOf(Buffer.from('data'));
  const dropped = await sweep(ame);
  expect(dropped.refs).toBeGreaterThan(0);
  const { db, storage } = ame.ctx;
  // Both had this file: the older one lost it, and for the younger one it is there.
  expect([...(await visibleBlobs(db, old.run.repository.id, [data]))]).toEqual([]);
  expect([...(await visibleBlobs(db, young.run.repository.id, [data]))]).toEqual([data]);
  expect(await storage.has(data)).toBe(true);
  expect(await missing(ame)).toEqual([]);

  clock.advance(30 * daySeconds);
  // An agent asks just now whether it is there; it will name it in a moment.
  expect([...(await visibleBlobs(db, young.run.repository.id, [data]))]).toEqual([data]);
  await sweep(ame);
  expect(await storage.has(data)).toBe(true);
  clock.advance(2 * daySeconds);
  await sweep(ame);
  expect(await storage.has(data)).toBe(false);
});

test('content that is written at the moment of its removal is there afterwards', async () => {
  const clock = createClock();
  const removing = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  await using ame = await createAme({
    clock,
    seams: {
      storage: (own) => ({
        ...own,
        async remove(digest) {
          removing.resolve();
          await go.promise;
          await own.remove(digest);
        },
      }),
    },
  });
  const { db, storage } = ame.ctx;
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': 'projectname: race\ntasks: {main: "true"}\n' });
  const { rows } = await db.orm.execute<{ id: string }>(sql`select id::text from repositories`);
  const bytes = Buffer.from('the same content');
  const digest = digestOf(bytes);
  const write = (): Promise<number> => storage.write(digest, new Blob([bytes]).stream());
  await write();
  await insertBlobs(db, Number(rows[0]?.id), [{ digest, size: bytes.length }]);
  await db.orm.execute(sql`delete from blob_refs`);
  clock.advance(2 * daySeconds);

  const removed = dropBlobs(db, (gone) => storage.remove(gone));
  await removing.promise;
  // The content is still there, and about to go: its writer waits until it is gone.
  const kept = isKept({ db, storage }, digest);
  go.resolve();
  expect([await removed, await kept]).toEqual([1, false]);
  await write();
  await insertBlobs(db, Number(rows[0]?.id), [{ digest, size: bytes.length }]);
  expect(await dropBlobs(db, (gone) => storage.remove(gone))).toBe(0);
  expect([await storage.has(digest), await count(ame, 'blobs')]).toEqual([true, 1]);
});

test('steps of two rows remove what one step of all removes, page by page', async () => {
  const clock = createClock();
  const removed: Swept[] = [];
  for (const stepRows of [1_000, 2]) {
    await using ame = await createAme({ clock });
    const first = await ranThrough(ame, clock);
    await first.repository.push({ 'ame.yaml': file, 'more.txt': 'more' });
    await ame.settle();
    clock.advance(120);
    await ame.settle();
    clock.advance(20 * daySeconds);
    // What a young run of the same repository leads to is read page by page, and stays.
    const young = await first.repository.push({ 'ame.yaml': file, 'data.txt': 'data' });
    await ame.settle();
    const some = await sweep(ame, stepRows);
    expect(await missing(ame)).toEqual([]);
    expect(await ame.ctx.storage.has(digestOf(Buffer.from('data')))).toBe(true);
    expect((await ame.api('GET', `/commits/${young.commit}`)).status).toBe(200);
    clock.advance(120);
    await ame.settle();
    clock.advance(200 * daySeconds);
    await ame.settle();
    const rest = await sweep(ame, stepRows);
    expect([await count(ame, 'blobs'), await count(ame, 'blob_refs'), await count(ame, 'artifacts')]).toEqual(
      [0, 0, 0],
    );
    removed.push(some, rest);
  }
  expect(removed.slice(2)).toEqual(removed.slice(0, 2));
  expect(removed[1]?.logs).toBeGreaterThan(4);
  expect(removed[1]?.refs).toBeGreaterThan(4);
});

test('each folder of the store has its hour of the day', () => {
  const all = Array.from({ length: 24 }, (_, hour) => foldersOf(hour)).flat();
  expect([all.length, new Set(all).size, all.every((folder) => /^[0-9a-f]{2}$/.test(folder))]).toEqual([
    256,
    256,
    true,
  ]);
});

test.each(stores)('in %s content whose row never came is found, and goes a day later', async (_, open) => {
  await using store = await open();
  const clock = createClock();
  await using ame = await createAme({ clock, env: store.env });
  const { run } = await ranThrough(ame, clock);
  const { db, storage } = ame.ctx;
  // Their writers went away before they could say whose they are; one of them comes back after the content was found.
  const lost = Array.from({ length: 8 }, (_each, at) => Buffer.from(`lost ${at}`));
  const late = Buffer.from('late');
  for (const bytes of [...lost, late]) await storage.write(digestOf(bytes), new Blob([bytes]).stream());
  const throughout = async (): Promise<Swept> => {
    const sum = await sweep(ame);
    for (let hour = 1; hour < 24; hour += 1) {
      clock.advance(3_600);
      const swept = await sweep(ame);
      sum.strays += swept.strays;
      sum.blobs += swept.blobs;
    }
    return sum;
  };
  expect(await throughout()).toMatchObject({ strays: 9, blobs: 0 });
  await insertBlobs(db, run.repository.id, [{ digest: digestOf(late), size: late.length }]);
  const [attempt] = await ame.read.attempts(run);
  const artifact = { path: 'late', digest: digestOf(late), size: late.length, mode: 0o644 };
  await insertArtifacts(db, attempt?.id ?? 0, [artifact]);
  clock.advance(3_600);
  expect(await throughout()).toMatchObject({ strays: 0, blobs: 8 });
  expect([...(await storage.present(lost.map((bytes) => digestOf(bytes))))]).toEqual([]);
  expect(await storage.has(digestOf(late))).toBe(true);
  expect(await missing(ame)).toEqual([]);
});
