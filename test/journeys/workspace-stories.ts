import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlacedRun } from '../../src/db/runs.ts';
import type { Clone, Files } from './pusher.ts';
import type { Reader } from './reader.ts';
import { text } from './text.ts';
import { listing, tellShapes } from './workspace-shapes.ts';

/** An AME with one executor or another. */
export type Stage = AsyncDisposable & {
  readonly read: Reader;
  repository(): Promise<Clone & { readonly owner: string; readonly name: string }>;
  /** Waits for the end of a repository's newest run. */
  ended(repository: { readonly owner: string; readonly name: string }): Promise<PlacedRun>;
  api(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
};

/** What every executor must do with workspaces; with `concurrent` the stories are told side by side. */
export function workspaceStories(
  open: () => Promise<Stage>,
  options: { readonly concurrent?: boolean } = {},
): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await open();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Pushes files, of which one is the file with a `main`, and waits for the end of its run. */
  async function run(files: Files) {
    const repository = await stage.repository();
    const pushed = await repository.push(files);
    expect(pushed.code, pushed.text).toBe(0);
    const ended = await stage.ended(repository);
    return { repository, run: ended, states: await stage.read.states(ended) };
  }

  describe('a workspace', { concurrent: options.concurrent ?? false }, () => {
    test('contents, modes, times, empty directories, links and odd names go from task to task as they are', async () => {
      const { run: ended, states } = await run({
        'ame.yaml': text`
      projectname: flows
      on: push
      tasks:
        main:
          pipeline:
            make:
              - mkdir -p deep/er empty && chmod 750 deep
              - echo x > deep/er/file && chmod 640 deep/er/file && touch -d @981173106 deep/er/file deep
              - ln -s deep/er/file link && ln -s nowhere dangling && ln -s ../link deep/up
              - printf 'odd' > "$(printf 'new\\nline')" && printf 'odd' > ' space "quote" $HOME ' && printf odd > "$(printf 'not-utf8-\\377')"
              - printf 'odd' > ./-n && printf 'odd' > 'grün' && touch empty.txt
              - head -c 20000000 /dev/zero | tr '\\0' 'z' > big
              - tr -d '\\1' < committed.bin | wc -c
              - sh list.sh
            middle: "true"
            show: ["tr -d '\\\\1' < committed.bin | wc -c", sh list.sh]
    `,
        'list.sh': `${listing}\n`,
        'committed.bin': new Uint8Array(9 * 1024 * 1024).fill(1),
        'tool.sh': { script: '#!/bin/sh\necho tool\n' },
        'link-of-the-commit': { link: 'tool.sh' },
      });
      expect(states).toEqual(['make succeeded', 'middle succeeded', 'show succeeded']);
      const made = await stage.read.log(ended, 'make');
      expect(made.split('\n').length).toBeGreaterThan(18);
      expect(await stage.read.log(ended, 'show')).toBe(made);
    });

    tellShapes(run, () => stage);

    test('a file is executable if the commit or a task made it so', async () => {
      const { run: ended } = await run({
        'ame.yaml': text`
      projectname: bits
      on: push
      tasks:
        main:
          pipeline:
            make: [./from-commit.sh, "printf '#!/bin/sh\\necho made\\n' > made.sh", chmod +x made.sh]
            use: [./made.sh, ./link.sh, test ! -x ame.yaml]
    `,
        'from-commit.sh': { script: '#!/bin/sh\necho committed\n' },
        'link.sh': { link: 'from-commit.sh' },
      });
      expect(await stage.read.log(ended, 'make')).toBe('committed\n');
      expect(await stage.read.log(ended, 'use')).toBe('made\ncommitted\n');
    });

    test('what a task deletes is gone for those after it, also where its sibling kept it', async () => {
      const { run: ended, states } = await run({
        'ame.yaml': text`
      projectname: deletes
      on: push
      tasks:
        main:
          pipeline:
            remove: rm -r old other.txt
            keep: {needs: [], runcommand: echo more > more.txt}
            joint: {needs: [remove, keep], runcommand: [ls, test ! -e old]}
    `,
        'old/file': 'old\n',
        'other.txt': 'other\n',
      });
      expect(states).toEqual(['remove succeeded', 'keep succeeded', 'joint succeeded']);
      expect(await stage.read.log(ended, 'joint')).toBe('ame.yaml\nmore.txt\n');
    });

    test('two tasks that changed one file differently are a conflict that names file and tasks', async () => {
      const { run: ended, states } = await run({
        'ame.yaml': text`
      projectname: conflicts
      on: push
      tasks:
        main:
          pipeline:
            left: echo left > out/result.txt
            right: {needs: [], runcommand: echo right > out/result.txt}
            same: {needs: [], runcommand: echo same > out/same.txt}
            joint: {needs: [left, right, same], runcommand: echo never}
            after: echo never
            clean_up: {needs: [joint], if: failure, runcommand: "cat out/result.txt; ls out"}
            tidy: {needs: [joint], if: always, runcommand: "cat out/result.txt; ls out"}
    `,
        'out/result.txt': 'none\n',
      });
      expect(states).toEqual([
        'left succeeded',
        'right succeeded',
        'same succeeded',
        'joint failed conflict',
        'after skipped',
        'clean_up succeeded',
        'tidy succeeded',
      ]);
      // They cannot be given what both left, and start from the commit alone.
      for (const name of ['clean_up', 'tidy'])
        expect(await stage.read.log(ended, name)).toBe('none\nresult.txt\n');
      const joint = await stage.read.attempt(ended, 'joint');
      expect(joint.reason).toMatch(/out\/result\.txt \(left and right\)/);
      expect(joint.startedAt).toBeNull();
      expect(ended).toMatchObject({ state: 'failed', class: 'conflict' });
    });

    describe('what no snapshot holds is refused by its name', () => {
      test.each([
        ['a link that leaves the workspace', 'ln -s /etc/passwd escape', /escape .*\/etc\/passwd/],
        ['a link that climbs out', 'mkdir d && ln -s ../../x d/up', /d\/up .*\.\.\/\.\.\/x/],
        ['a named pipe', 'mkfifo pipe', /pipe \(a named pipe\)/],
        [
          'a socket',
          `python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')"`,
          /sock \(a socket\)/,
        ],
      ])('%s', async (_, script, names) => {
        const { run: ended, states } = await run({
          'ame.yaml': `projectname: refuses\non: push\ntasks:\n  main: ${JSON.stringify(script)}\n`,
        });
        expect(states).toEqual(['main failed content_refused']);
        expect(ended.reason).toMatch(names);
      });

      test('a link of the commit that leads out of it', async () => {
        const { run: ended, states } = await run({
          'ame.yaml': 'projectname: refuses\non: push\ntasks:\n  main: echo never\n',
          'sub/out': { link: '../../outside' },
        });
        expect(states).toEqual(['main failed content_refused']);
        expect(ended.reason).toContain('sub/out');
      });
    });

    describe('artifacts', () => {
      const pathsOf = async (ended: { readonly id: number }): Promise<string[]> =>
        (await stage.read.artifacts(ended, 'main')).map(({ path }) => path);

      test('every new or changed file, what is ignored apart, with its bytes', async () => {
        const { run: ended } = await run({
          'ame.yaml': text`
        projectname: artifacts
        on: push
        tasks:
          main:
            - mkdir -p out .venv/lib node_modules/x cache deep/cache
            - echo 1 > out/model.bin; echo 2 >> changed.txt; touch .venv/lib/a node_modules/x/y deep/cache/b out/log.tmp cache/keep
            - echo 3 > .gitignored
      `,
          'changed.txt': 'a\n',
          'unchanged.txt': 'a\n',
          '.gitignore': '.gitignored\nout/\n',
          '.ameignore': '*.tmp\ncache/*\n!/cache/keep\n',
        });
        expect(ended.state).toBe('succeeded');
        // A pattern with a slash inside stands for one place only.
        expect(await pathsOf(ended)).toEqual([
          '.gitignored',
          'cache/keep',
          'changed.txt',
          'deep/cache/b',
          'out/model.bin',
        ]);
        const [, , changed] = await stage.read.artifacts(ended, 'main');
        expect(changed && (await stage.read.content(changed))).toBe('a\n2\n');
      });

      test('the globs of the task alone, where it has some', async () => {
        const { run: ended } = await run({
          'ame.yaml': text`
        projectname: globs
        on: push
        tasks:
          main:
            runcommand: mkdir -p out/deep; touch out/a.txt out/b.tmp out/deep/c.txt other.txt; echo new > report.md
            artifacts: ["out/**", "!out/*.tmp", "*.md"]
      `,
          'report.md': 'of the commit\n',
          'unchanged.md': 'of the commit\n',
          '.ameignore': '*\n',
        });
        expect(await pathsOf(ended)).toEqual(['out/a.txt', 'out/deep/c.txt', 'report.md']);
      });

      test('what a failed task left is kept as its artifacts, and its next try starts from the same input', async () => {
        const { run: ended, repository } = await run({
          'ame.yaml': text`
        projectname: tries
        on: push
        tasks:
          main: {runcommand: ['test ! -e left-1', 'test ! -e left-2', 'touch left-$AME_ATTEMPT', exit 1]}
      `,
        });
        expect(await pathsOf(ended)).toEqual(['left-1']);
        const retried = await stage.api('POST', `/runs/${ended.id}/retry`);
        expect(retried.status).toBe(201);
        const again = await stage.ended(repository);
        expect(again.id).toBe((retried.body as { id: number }).id);
        expect(await stage.read.attempts(again)).toMatchObject([{ state: 'failed', exitCode: 1 }]);
        expect(await stage.read.log(again, 'main')).toBe('');
      });
    });
  });
}
