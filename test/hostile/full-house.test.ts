import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { git, scratch } from '../git/real-git.ts';
import { createAme, type Ame, type Repository } from '../journeys/harness.ts';
import { createClone } from '../journeys/pusher.ts';
import { text } from '../journeys/text.ts';
import { canMount, smallDisk, type SmallDisk } from './small-disk.ts';

const possible = await canMount();

type House = AsyncDisposable & {
  readonly ame: Ame;
  readonly disk: SmallDisk;
  /** A clone on another disk, as a person has it. */
  readonly repository: Repository;
};

/** A whole server whose repositories, content and workspaces are on a small disk. */
async function openHouse(mebibytes: number): Promise<House> {
  await using undo = new AsyncDisposableStack();
  const disk = await smallDisk(mebibytes);
  if (disk === null) throw new Error('the disk of before cannot be made any more');
  undo.use(disk);
  const { url: databaseUrl } = undo.use(await createTestDatabase());
  const person = undo.use(await scratch());
  const ame = undo.use(
    await createAme({ house: { directory: disk.path, databaseUrl }, env: { AME_GRACE: '0' } }),
  );
  const url = new URL(`${ame.address}/git/team/full.git`);
  url.username = 'ame';
  url.password = ame.ctx.token;
  const clone = await createClone(join(person.path, 'clone'), url.href, (push) => ame.during(push));
  const owned = undo.move();
  return {
    ame,
    disk,
    repository: { ...clone, owner: 'team', name: 'full' },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function states({ ame, repository }: House): Promise<readonly string[]> {
  return (await ame.read.runs(repository)).map(({ state }) => state);
}

/** What git itself says of AME's repositories. */
async function fsck({ ame }: House): Promise<void> {
  const repositories = join(ame.directory, ame.ctx.config.host, 'repositories');
  for (const name of await readdir(repositories)) await git(join(repositories, name), 'fsck', '--strict');
}

const file = (command: string): string => `projectname: full\non: push\ntasks:\n  main: ${command}\n`;

test.skipIf(!possible)(
  'a push that the disk has no room for is refused whole, and the next one is taken',
  async () => {
    await using house = await openHouse(8);
    const { ame, repository } = house;
    expect((await repository.push({ 'ame.yaml': file('echo made > made') })).code).toBe(0);
    await ame.settle();
    expect(await states(house)).toEqual(['succeeded']);

    const large = await repository.push({ 'large.bin': randomBytes(10 * 2 ** 20) });
    expect([large.code, large.text]).toEqual([
      1,
      expect.stringMatching(/No space left|remote rejected|unpack/),
    ]);
    expect(await states(house)).toEqual(['succeeded']);
    await fsck(house);
    expect((await ame.api('GET', '/runs')).status).toBe(200);
    await repository.git('reset', '--quiet', '--hard', 'HEAD^');

    // What has room is taken.
    expect((await repository.push({ 'ame.yaml': file('echo again > again') })).code).toBe(0);
    await ame.settle();
    expect(await states(house)).toEqual(['succeeded', 'succeeded']);
    const [artifact] = await ame.read.artifacts(await ame.read.run(repository), 'main');
    expect(artifact && (await ame.read.content(artifact))).toBe('again\n');
    const content = join(ame.directory, ame.ctx.config.host, 'content');
    expect(await readdir(join(content, 'incoming'))).toEqual([]);
  },
);

test.skipIf(!possible)(
  'a data directory that became read-only refuses pushes, is read on, and goes on once it can be written',
  async () => {
    await using house = await openHouse(32);
    const { ame, repository, disk } = house;
    const files = {
      'ame.yaml': text`
      projectname: full
      on: push
      tasks:
        main: echo made > made
    `,
    };
    expect((await repository.push(files)).code).toBe(0);
    await ame.settle();
    disk.remount('ro');
    const refused = await repository.push({ 'other.txt': 'other' });
    expect([refused.code, refused.text]).not.toEqual([0, refused.text]);
    await ame.settle();
    expect(await states(house)).toEqual(['succeeded']);
    const [artifact] = await ame.read.artifacts(await ame.read.run(repository), 'main');
    expect(artifact && (await ame.read.content(artifact))).toBe('made\n');
    expect((await ame.api('GET', '/runs')).status).toBe(200);
    disk.remount('rw');
    expect((await repository.push()).code).toBe(0);
    await ame.settle();
    expect(await states(house)).toEqual(['succeeded', 'succeeded']);
    await fsck(house);
  },
);
