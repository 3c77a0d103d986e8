import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLogChunks, readLogSize } from '../../src/attempt/log.ts';
import { logChunks } from '../../src/db/schema/content.ts';
import { createAme, createClock, type Ame } from './harness.ts';
import { text } from './text.ts';

const clock = createClock();
let ame: Ame;
beforeAll(async () => {
  ame = await createAme({ clock });
});
afterAll(() => ame[Symbol.asyncDispose]());

test('stdout and stderr are told apart, with a time for each line, and outlive the workspace and their rows', async () => {
  const repository = await ame.repository();
  const script = [
    'import sys',
    'for n in range(3000):',
    '    print("out", n)',
    '    print("err", n, file=sys.stderr)',
    'sys.stdout.write("the end")',
  ];
  await repository.push({
    'ame.yaml': 'projectname: log\non: push\ntasks:\n  main: python3 -u print.py\n',
    'print.py': script.join('\n'),
  });
  await ame.settle();
  const run = await ame.read.run(repository);
  const before = {
    out: await ame.read.log(run, 'main', 1),
    err: await ame.read.log(run, 'main', 2),
    all: await ame.read.log(run, 'main'),
  };
  const numbers = Array.from({ length: 3000 }, (_, n) => n);
  expect(before.out).toBe(`${numbers.map((n) => `out ${n}\n`).join('')}the end`);
  expect(before.err).toBe(numbers.map((n) => `err ${n}\n`).join(''));
  const { id, startedAt, endedAt } = await ame.read.attempt(run, 'main');
  const chunks = await readLogChunks(ame.ctx, id, { offset: 0, limit: 1_000 });
  const times = chunks.flatMap((chunk) => chunk.lines.map(([, at]) => at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.length).toBe(6_001);
  expect(times[0]).toBeGreaterThanOrEqual(startedAt?.getTime() ?? Infinity);
  expect(chunks.map(({ offset, bytes }) => offset + bytes.byteLength)).toEqual([
    ...chunks.slice(1).map(({ offset }) => offset),
    (await readLogSize(ame.ctx, id)).bytes,
  ]);
  expect(endedAt).not.toBeNull();

  clock.advance(61);
  await ame.settle();
  expect(await ame.ctx.db.orm.$count(logChunks)).toBe(0);
  expect(await ame.read.log(run, 'main', 1)).toBe(before.out);
  expect(await ame.read.log(run, 'main')).toBe(before.all);
  expect(await readLogChunks(ame.ctx, id, { offset: 0, limit: 1_000 })).toEqual(chunks);
});

test('the end of the log of what failed stands in the check, also of a long one', async () => {
  const repository = await ame.repository();
  const pushed = await repository.push({
    'ame.yaml':
      'projectname: tail\non: push\ntasks:\n  main: ["python3 -c \'for n in range(200000): print(n, 9 * str(n))\'", "echo the cause >&2", exit 1]\n',
  });
  await ame.settle();
  const run = await ame.read.run(repository);
  const { says } = await ame.read.check(pushed.commit, run);
  expect(says.text).toMatch(/The end of the log of <code>main<\/code>/);
  expect(says.text).toContain('the cause');
  expect(says.text).toContain('199999 ');
  expect(Buffer.byteLength(says.text)).toBeLessThan(65_535);
  expect((await ame.read.log(run, 'main', 1)).split('\n')).toHaveLength(200_001);
});

describe('secrets', () => {
  const value = 'hunter2-and-more';

  test('are nowhere in what is kept, in no form and however they were written', async () => {
    const repository = await ame.repository();
    await repository.push({ 'ame.yaml': 'projectname: masked\non: push\ntasks:\n  main: echo ready\n' });
    await ame.settle();
    const set = await ame.api('PUT', '/projects/masked/secrets/password', { value });
    expect(set.status).toBe(200);
    const pushed = await repository.push({
      'ame.yaml': text`
        projectname: masked
        on: push
        tasks:
          main:
            pipeline:
              print:
                secrets: {PASSWORD: password}
                runcommand: python3 -u print.py
              command:
                if: always
                secrets: {PASSWORD: password}
                runcommand: $PASSWORD
      `,
      'print.py': text`
        import base64, os, sys, urllib.parse
        secret = os.environ["PASSWORD"]
        print("whole", secret)
        sys.stdout.write("half " + secret[:7]); sys.stdout.flush()
        sys.stdout.write(secret[7:] + "\\n"); sys.stdout.flush()
        for letter in secret: sys.stderr.write(letter); sys.stderr.flush()
        sys.stderr.write("\\n")
        print("base64", base64.b64encode(secret.encode()).decode())
        print("length", len(secret))
        sys.exit(1)
      `,
    });
    await ame.settle();
    const run = await ame.read.run(repository);
    const log = await ame.read.log(run, 'print');
    expect(log).toContain(`length ${value.length}`);
    expect(log).toMatch(/^half \*+$/m);
    const command = await ame.read.attempt(run, 'command');
    expect(command.class).toBe('command_not_found');
    const kept = JSON.stringify([
      log,
      await ame.read.log(run, 'command'),
      await ame.read.attempts(run),
      await ame.read.check(pushed.commit, run),
      await ame.read.runs(repository),
      (await ame.api('GET', `/runs/${run.id}`)).body,
    ]);
    expect(kept).not.toContain(value);
    expect(kept).not.toContain(Buffer.from(value).toString('base64'));
  });

  test('one that is missing ends the attempt before it starts; set and tried again it is there', async () => {
    const repository = await ame.repository();
    await repository.push({
      'ame.yaml': text`
        projectname: wants
        on: push
        tasks:
          main:
            pipeline:
              before: echo before > file
              uses: {secrets: [TOKEN, OTHER], runcommand: 'cat file; test "$TOKEN" = "first value" && test -n "$OTHER"'}
      `,
    });
    await ame.settle();
    const run = await ame.read.run(repository);
    const uses = await ame.read.attempt(run, 'uses');
    expect(uses).toMatchObject({ state: 'failed', class: 'secret_missing', startedAt: null, exitCode: null });
    expect(uses.reason).toContain('ame secret set TOKEN --project wants');
    expect(uses.reason).toContain('ame secret set OTHER --project wants');

    const short = await ame.api('PUT', '/projects/wants/secrets/TOKEN', { value: 'abcde' });
    expect([short.status, JSON.stringify(short.body)]).toEqual([422, expect.not.stringContaining('abcde')]);
    await ame.api('PUT', '/projects/wants/secrets/TOKEN', { value: 'first value' });
    await ame.api('PUT', '/projects/wants/secrets/OTHER', { value: 'other value' });
    expect((await ame.api('POST', `/runs/${run.id}/retry`)).status).toBe(201);
    await ame.settle();
    const retried = await ame.read.run(repository);
    expect(retried).toMatchObject({ state: 'succeeded', trigger: 'retry', retryOf: run.id });
    expect(await ame.read.attempt(retried, 'before')).toMatchObject({
      state: 'succeeded',
      reusedFrom: (await ame.read.attempt(run, 'before')).id,
    });
    expect(await ame.read.log(retried, 'uses')).toBe('before\n');
  });

  test('one that was changed between two tries is today’s', async () => {
    const repository = await ame.repository();
    await repository.push({
      'ame.yaml': text`
        projectname: changes
        on: push
        tasks:
          main: {secrets: [TOKEN], retries: {max: 1, backoff: 60s}, runcommand: '[ "$TOKEN" = "second value" ]'}
      `,
    });
    await ame.api('PUT', '/projects/changes/secrets/TOKEN', { value: 'first value' });
    await ame.settle();
    expect((await ame.read.attempts(await ame.read.run(repository))).map((row) => row.state)).toEqual([
      'failed',
      'waiting',
    ]);
    await ame.api('PUT', '/projects/changes/secrets/TOKEN', { value: 'second value' });
    clock.advance(61);
    await ame.settle();
    expect((await ame.read.run(repository)).state).toBe('succeeded');
  });
});
