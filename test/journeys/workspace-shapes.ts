import { expect, test } from 'vitest';
import type { PlacedRun } from '../../src/db/runs.ts';
import type { Files } from './pusher.ts';
import { text } from './text.ts';
import type { Stage } from './workspace-stories.ts';

/** Every entry with its type, mode, size, time and target, names escaped. */
export const listing = `find . -mindepth 1 -printf '%y %m %s %T@ %l ' -exec sh -c 'printf %s "$1" | od -An -c | tr -d "\\n"; echo' - {} \\; | sed 's/\\([0-9]\\)\\.[0-9]* /\\1 /' | LC_ALL=C sort`;

/** Pushes files and waits for the end of their run. */
type Run = (files: Files) => Promise<{
  readonly repository: Awaited<ReturnType<Stage['repository']>>;
  readonly run: PlacedRun;
  readonly states: readonly string[];
}>;

/** Stories of workspaces that look odd, and of what a retry finds there. */
export function tellShapes(run: Run, stage: () => Stage): void {
  test('what may only be read, long names and deep places, two names of one file, and what became something else', async () => {
    const long = 'n'.repeat(255);
    const deep = Array.from({ length: 12 }, (_, level) => `${level}`.padEnd(150, 'd')).join('/');
    const { run: ended, states } = await run({
      'ame.yaml': text`
    projectname: shapes
    on: push
    tasks:
      main:
        pipeline:
          make:
            - mkdir -p closed/sub ${deep} && echo deep > ${deep}/file && echo long > ${long}
            - echo 1 > closed/file && echo 2 > closed/sub/file && chmod 400 closed/file closed/sub/file && chmod 555 closed closed/sub
            - echo one > one && ln one two
            - mkdir was-directory && echo x > was-directory/x && echo x > was-file && ln -s one was-link
            - sh list.sh
          show: [sh list.sh]
          turn:
            - cat ${deep}/file ${long} closed/file closed/sub/file two
            - chmod 755 closed closed/sub && chmod 600 closed/sub/file && echo more >> closed/sub/file && rm closed/file && chmod 555 closed
            - rm -r was-directory was-file was-link && echo file > was-directory && mkdir was-file && echo y > was-file/y && echo own > was-link
            - echo changed > two && sh list.sh
          see: [sh list.sh, cat was-directory was-file/y was-link closed/sub/file two]
  `,
      'list.sh': `${listing}\n`,
    });
    expect(states).toEqual(['make succeeded', 'show succeeded', 'turn succeeded', 'see succeeded']);
    const made = await stage().read.log(ended, 'make');
    expect(made.split('\n').length).toBeGreaterThan(24);
    // How many names a file has is not kept: each is a file of its own from then on.
    expect(await stage().read.log(ended, 'show')).toBe(made);
    const turned = await stage().read.log(ended, 'turn');
    expect(turned).toMatch(/^deep\nlong\n1\n2\none\n/);
    expect(await stage().read.log(ended, 'see')).toBe(
      `${turned.slice('deep\nlong\n1\n2\none\n'.length)}file\ny\nown\n2\nmore\nchanged\n`,
    );
  });

  test('a retry goes on from what its earlier run left, without doing it again', async () => {
    const {
      run: ended,
      states,
      repository,
    } = await run({
      'ame.yaml': text`
    projectname: resumes
    on: push
    tasks:
      main:
        pipeline:
          first: [mkdir data, "head -c 200000 /dev/urandom > data/random", "sha256sum data/random", chmod 750 data]
          second: ["sha256sum data/random", "test $AME_RUN != 1", echo second > data/second]
          third: [ls -l data | cut -c 1-10 | tail -n 2, cat data/second]
  `,
    });
    expect(states).toEqual(['first succeeded', 'second failed exit', 'third skipped']);
    const retried = await stage().api('POST', `/runs/${ended.id}/retry`);
    expect(retried.status).toBe(201);
    const again = await stage().ended(repository);
    expect(await stage().read.states(again)).toEqual([
      'first succeeded',
      'second succeeded',
      'third succeeded',
    ]);
    expect((await stage().read.attempt(again, 'first')).reusedFrom).toBe(
      (await stage().read.attempt(ended, 'first')).id,
    );
    const random = await stage().read.log(ended, 'first');
    expect(random).toMatch(/^[0-9a-f]{64} /);
    for (const one of [ended, again]) expect(await stage().read.log(one, 'second')).toBe(random);
    expect(await stage().read.log(again, 'third')).toBe('-rw-r--r--\n-rw-r--r--\nsecond\n');
  });
}
