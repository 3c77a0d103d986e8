import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/agent/clock.ts';
import { createContent } from '../../src/agent/content.ts';
import { createHttpDoor } from '../../src/agent/http-door.ts';
import { attemptToken } from '../../src/attempt/token.ts';
import { AttemptFaultError, AttemptOverError, type AttemptDoor } from '../../src/core/attempt.ts';
import { createLocalExecutor } from '../../src/executor/local/local-executor.ts';
import { quietLog } from '../agent/memory-door.ts';
import { createDoorClock } from '../agent/over-http.ts';
import { createAme, type Ame } from './harness.ts';
import { text } from './text.ts';
import { createWire, type Wire } from './wire.ts';

/** A door for any attempt, each call of which goes over HTTP with the token of that attempt. */
function remoteDoor(doorOf: (attempt: number) => AttemptDoor): AttemptDoor {
  const doors = new Map<number, AttemptDoor>();
  const of = (attempt: number): AttemptDoor => {
    const door = doors.get(attempt) ?? doorOf(attempt);
    doors.set(attempt, door);
    return door;
  };
  return {
    input: (attempt) => of(attempt).input(attempt),
    readBlob: (attempt, ...rest) => of(attempt).readBlob(attempt, ...rest),
    missingBlobs: (attempt, digests) => of(attempt).missingBlobs(attempt, digests),
    writeBlob: (attempt, ...rest) => of(attempt).writeBlob(attempt, ...rest),
    started: (attempt, at) => of(attempt).started(attempt, at),
    appendLog: (attempt, chunk) => of(attempt).appendLog(attempt, chunk),
    finish: (attempt, report) => of(attempt).finish(attempt, report),
  };
}

/** The SHA-256 of 20,000,000 times z. */
const zeds = '6968712b5e797975f634ce141f05bdd0febeea2f903996f15936a44b6947d04a';

/** Each so many requests the wire is cut under whatever is on it; the first failure that this makes mends it. */
const cutEvery = 7;

test('attempts whose agents reach AME over a wire that breaks all the time end as they should', async () => {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-agent-door-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  let house: { readonly ame: Ame; readonly wire: Wire } | null = null;
  let [requests, cuts, failures] = [0, 0, 0];

  const doorOf = (attempt: number): AttemptDoor => {
    if (house === null) throw new Error('nothing starts before the house stands');
    const { ame, wire } = house;
    return createHttpDoor({
      url: wire.url,
      attempt,
      token: attemptToken(ame.ctx.ownKey, attempt),
      clock: createDoorClock(),
      onFailure: () => {
        failures += 1;
        wire.mend();
      },
      fetch: (url, init) => {
        const answer = fetch(url, init);
        requests += 1;
        if (requests % cutEvery === 0) {
          cuts += 1;
          // Not before it has left: some of these are heard, and only their answers are lost.
          setImmediate(() => setImmediate(() => wire.cut()));
        }
        return answer;
      },
    });
  };
  const remote = await createLocalExecutor({
    directory,
    slots: 4,
    host: 'here',
    door: remoteDoor(doorOf),
    ...createContent({ clock: systemClock }),
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    graceMs: 2_000,
    log: quietLog,
    gpus: [],
  });
  const ame = undo.use(
    await createAme({
      seams: {
        executor: (own) => ({
          ...remote,
          async close() {
            await remote.close();
            await own.close();
          },
        }),
      },
    }),
  );
  house = { ame, wire: undo.use(await createWire(ame.address)) };

  const repository = await ame.repository();
  await repository.push({
    'ame.yaml': text`
      projectname: far
      on: push
      tasks:
        main:
          pipeline:
            make:
              - mkdir -p data && for i in $(seq 60); do echo $i > data/$i; done
              - seq 40000
              - head -c 20000000 /dev/zero | tr '\\0' 'z' > big
            use: ["cat data/* | wc -l", "sha256sum < big", "test -x tool.sh && ./tool.sh", echo done > result.txt]
            fail: {needs: use, runcommand: "echo no >&2; exit 3"}
    `,
    'tool.sh': { script: '#!/bin/sh\necho tool\n' },
    'committed.bin': new Uint8Array(3 * 1024 * 1024).fill(1),
  });
  await ame.settle();

  const run = await ame.read.run(repository);
  expect(await ame.read.states(run)).toEqual(['make succeeded', 'use succeeded', 'fail failed exit']);
  const lines = Array.from({ length: 40_000 }, (_, index) => `${index + 1}\n`).join('');
  expect(await ame.read.log(run, 'make')).toBe(lines);
  expect(await ame.read.log(run, 'use')).toBe(`60\n${zeds}  -\ntool\n`);
  expect(await ame.read.log(run, 'fail')).toBe('no\n');
  const artifacts = await ame.read.artifacts(run, 'use');
  expect(artifacts.map(({ path }) => path)).toEqual(['result.txt']);
  expect(cuts).toBeGreaterThan(10);
  expect(failures).toBeGreaterThan(10);

  // Over is over, and a token opens nothing of another attempt.
  const [first, second] = await ame.read.attempts(run);
  if (!first || !second) throw new Error('two attempts at least');
  const doorWith = (attempt: number, token: string): AttemptDoor =>
    createHttpDoor({ url: ame.address, attempt, token });
  const { ownKey } = ame.ctx;
  const ended = doorWith(first.id, attemptToken(ownKey, first.id));
  await expect(ended.input(first.id)).rejects.toThrow(AttemptOverError);
  const foreign = doorWith(second.id, attemptToken(ownKey, first.id));
  await expect(foreign.input(second.id)).rejects.toThrow(AttemptFaultError);
});
