import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { text } from '../journeys/text.ts';
import { clusterEnv, startClusterAme } from './ame-on-cluster.ts';
import { lacks, openCluster } from './cluster.ts';
import { createRelay } from './relay.ts';
import { readSettings } from './settings.ts';

const { agentHost } = readSettings();
/** Seconds. One of the commands ends in the middle of it, one after it. */
const away = 30;
const lengths = { short: 10, long: away + 10 };

test.skipIf(lacks(agentHost, 'a door that is away', 'AME_TEST_AGENT_HOST'))(
  'while no pod reaches AME commands go on and end, and all that they left and printed arrives afterwards',
  async () => {
    await using undo = new AsyncDisposableStack();
    const cluster = undo.use(await openCluster());
    const env = await clusterEnv(cluster);
    const door = undo.use(await createRelay({ host: '127.0.0.1', port: Number(env['AME_AGENT_PORT']) }));
    const ame = undo.use(
      await startClusterAme(cluster, { ...env, AME_AGENT_URL: `http://${agentHost}:${door.port}` }),
    );
    const repository = await ame.repository();
    const command = (seconds: number): string =>
      `'i=0; while [ $i -lt ${seconds * 10} ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done; echo kept > file'`;
    const pushed = await repository.push({
      'ame.yaml': text`
        projectname: away
        on: push
        tasks:
          main:
            pipeline:
              short: {needs: [], runcommand: ${command(lengths.short)}}
              long: {needs: [], runcommand: ${command(lengths.long)}}
              last: {needs: [short, long], runcommand: 'cat file'}
      `,
    });
    expect(pushed.text).toContain('Runs main');
    const running = await ame.watch(async () => {
      const run = (await ame.read.runs(repository)).at(-1);
      if (run === undefined) return undefined;
      const logs = await Promise.all([ame.read.log(run, 'short'), ame.read.log(run, 'long')]);
      return logs.every((log) => log.includes('line 5\n')) ? run : undefined;
    });

    const isOver = delay(away * 1_000);
    await door.stall();
    await isOver;
    expect(await ame.read.states(running)).toEqual(['short running', 'long running', 'last waiting']);
    expect(await ame.read.log(running, 'short')).not.toContain(`line ${lengths.short * 10}\n`);
    const freed = new Date();
    door.free();

    const run = await ame.ended(repository);
    expect(await ame.read.states(run)).toEqual(['short succeeded', 'long succeeded', 'last succeeded']);
    expect((await ame.read.attempts(run)).map(({ number }) => number)).toEqual([1, 1, 1]);
    for (const [name, seconds] of Object.entries(lengths)) {
      const lines = Array.from({ length: seconds * 10 }, (_, at) => `line ${at + 1}\n`);
      expect(await ame.read.log(run, name)).toBe(lines.join(''));
      expect((await ame.read.artifacts(run, name)).map(({ path }) => path)).toEqual(['file']);
    }
    expect(await ame.read.log(run, 'last')).toBe('kept\n');
    // It ended while nobody heard of it: rows have moments as JSON does.
    const end = (await ame.read.attempt(run, 'short')).report?.phases.endedAt ?? Number.NaN;
    expect(new Date(end) < freed).toBe(true);
  },
);
