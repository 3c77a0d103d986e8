import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { repositoryDirectory } from '../../src/git/host.ts';
import { createTestDatabase } from '../database.ts';
import { askDatabase } from '../fire/ask-database.ts';
import { git, scratch } from '../git/real-git.ts';
import { startChildServer, type ChildServer } from '../journeys/child-server.ts';
import { createClone } from '../journeys/pusher.ts';

/** Files and connections that the server may have open. */
const handles = 160;
/** How many of them are left when somebody pushes: from more than enough down to none. */
const left = [40, 34, 30, 26, 22, 8];

const canCount = existsSync('/proc/self/fd');
if (!canCount) console.log('skipped: open handles of another process are counted in /proc');

async function handlesOf({ pid }: ChildServer): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Opens connections, which say nothing, until the server has so many handles left. */
async function leave(server: ChildServer, count: number): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(server.address);
  const open: Socket[] = [];
  for (let missing = 1; missing > 0;) {
    missing = handles - count - (await handlesOf(server));
    for (let at = 0; at < missing; at += 1) {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => {});
      await once(socket, 'connect');
      open.push(socket);
    }
  }
  return open;
}

type Answer = { readonly status: number; readonly text: string };

/** What a push asks first. */
async function askForRefs(known: { readonly server: ChildServer; readonly agent: Agent }): Promise<Answer> {
  const url = `${known.server.address}/git/team/few.git/info/refs?service=git-receive-pack`;
  const asked = request(url, { agent: known.agent, auth: `ame:${known.server.token}` }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, text: await readText(answer) };
}

test.skipIf(!canCount)(
  'a server that runs out of file handles takes a push whole or refuses it in words, and goes on',
  async () => {
    await using directory = await scratch();
    await using database = await createTestDatabase();
    const data = join(directory.path, 'data');
    const server = await startChildServer(data, { DATABASE_URL: database.url, AME_GRACE: '0' }, { handles });
    await using _server = { [Symbol.asyncDispose]: () => server.stop() };
    const clone = await createClone(
      join(directory.path, 'clone'),
      server.cloneUrl('team', 'few'),
      (push) => push,
    );
    const taken: string[] = [];
    const refused: string[] = [];
    const pushAt = async (at: string): Promise<void> => {
      const pushed = await clone.push({
        'ame.yaml': 'projectname: few\non: push\ntasks: {main: "true"}\n',
        at,
      });
      if (pushed.code === 0) taken.push(pushed.commit);
      else refused.push(pushed.text);
    };
    await pushAt('first');
    for (const count of left) {
      const open = await leave(server, count);
      await pushAt(`${count} left`);
      for (const socket of open) socket.destroy();
    }
    // Whoever has a connection is told.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const known = { server, agent };
    expect((await askForRefs(known)).status).toBe(200);
    const open = await leave(server, 0);
    expect(await askForRefs(known)).toEqual({
      status: 503,
      text: expect.stringMatching(
        /AME has too many files and connections open|AME cannot reach its database/,
      ) as unknown,
    });
    for (const socket of open) socket.destroy();
    agent.destroy();
    await pushAt('last');
    console.log(
      `with ${left.join()} handles left: ${taken.length - 2} pushes taken, ${refused.length} refused`,
    );
    expect(taken.at(-1)).toBe(await clone.git('rev-parse', 'HEAD'));
    expect(refused.length).toBeGreaterThan(0);
    // With no handle at all no connection is taken, or one breaks off, and nobody is there to say a word.
    const silent = /reset by peer|Empty reply from server|hung up unexpectedly/;
    const spoken = refused.filter((text) => !silent.test(text));
    expect(
      spoken.filter((text) => !/try again in a moment|push again in a moment|rejected/.test(text)),
    ).toEqual([]);

    for (;;) {
      const [row] = await askDatabase<{ open: number }>(
        database.url,
        `select ((select count(*) from deliveries where decided_at is null)
          + (select count(*) from runs where finished_at is null))::int as open`,
      );
      if (row?.open === 0) break;
      await delay(100);
    }
    // What was taken has run, or was over before it was looked at; what was refused is known to nobody.
    const runs = await askDatabase<{ commit: string; state: string }>(
      database.url,
      'select commit, state from runs order by id',
    );
    // A decision that found no handle is made after those of later pushes.
    expect(runs.map(({ commit }) => commit).toSorted()).toEqual(taken.toSorted());
    expect(runs.filter(({ state }) => !/^(succeeded|cancelled)$/.test(state))).toEqual([]);
    expect(runs.find(({ commit }) => commit === taken.at(-1))?.state).toBe('succeeded');
    const [row] = await askDatabase<{ id: number }>(database.url, 'select id::int from repositories');
    const bare = repositoryDirectory(join(data, 'repositories'), row?.id ?? 0);
    await git(bare, 'fsck', '--strict');
    expect(await git(bare, 'rev-parse', 'refs/heads/main')).toBe(taken.at(-1));
    expect(await askDatabase(database.url, 'select ref, sha from heads')).toEqual([
      { ref: 'refs/heads/main', sha: taken.at(-1) },
    ]);
  },
);
