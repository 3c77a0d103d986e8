import { execFile } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setGitSearchPath } from '../../src/git/environment.ts';
import { createAme, type Ame } from './harness.ts';
import type { Files } from './pusher.ts';
import { text } from './text.ts';

const run = promisify(execFile);
let ame: Ame;
let bin: string;

beforeAll(async () => {
  // A PATH that has python3 and no python, as many machines do.
  bin = await mkdtemp(join(tmpdir(), 'ame-bin-'));
  for (const tool of ['git', 'cat', 'bash']) await symlink(await onPath(tool), join(bin, tool));
  // Python itself, not something in front of it that needs more than it is given here.
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.executable, end="")']);
  await symlink(await realpath(stdout), join(bin, 'python3'));
  ame = await createAme({
    env: {
      PATH: bin,
      AME_TASK_ENV: 'LISTED',
      LISTED: 'by the administrator',
      NOT_LISTED: 'private',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
});
afterAll(async () => {
  await ame[Symbol.asyncDispose]();
  // Files that come after this one in the same process look for git where this one did.
  setGitSearchPath(process.env['PATH'] ?? '');
  await rm(bin, { recursive: true });
});

async function onPath(tool: string): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const names = await readdir(directory).catch((): string[] => []);
    if (names.includes(tool)) return join(directory, tool);
  }
  throw new Error(`${tool} is not on the PATH`);
}

async function push(files: Files) {
  const repository = await ame.repository();
  const pushed = await repository.push(files);
  expect(pushed.code, pushed.text).toBe(0);
  await ame.settle();
  return { run: await ame.read.run(repository), pushed };
}

test('a task sees its own variables, what the administrator lists, and nothing else of the server', async () => {
  const { run: ended, pushed } = await push({
    'ame.yaml': text`
      projectname: seen
      on: push
      tasks:
        main:
          pipeline:
            show: {runcommand: python3 show.py, env: {STAGE: production, LINES: "two\\nlines", VERSION: 3.10}}
    `,
    'show.py': 'import json, os, sys\njson.dump([dict(os.environ), os.getcwd()], sys.stdout)\n',
  });
  const [variables, directory]: [Record<string, string>, string] = JSON.parse(
    await ame.read.log(ended, 'show'),
  );
  // The shell's own.
  const {
    PWD: _pwd,
    OLDPWD: _oldpwd,
    AME_MARK: mark,
    HOME: home,
    TMPDIR: temporary,
    PATH: path,
    ...rest
  } = variables;
  expect(rest).toEqual({
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    LISTED: 'by the administrator',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    STAGE: 'production',
    LINES: 'two\nlines',
    VERSION: '3.10',
    AME_PROJECT: 'seen',
    AME_RUN: '1',
    AME_TASK: 'show',
    AME_ATTEMPT: '1',
    AME_COMMIT: pushed.commit,
    AME_REF: 'refs/heads/main',
  });
  expect(mark).toMatch(/^[0-9a-f]{32}$/);
  const own = directory.replace(/\/workspace$/, '');
  expect([home, temporary]).toEqual([`${own}/home`, `${own}/tmp`]);
  expect(path).toMatch(new RegExp(`^[^:]*/bin:${bin}$`));
  // Nothing of an attempt is left beside its rows and blobs.
  const attempts = (await readdir(join(own, '..'))).filter((name) => /^\d+$/.test(name));
  expect(attempts).toEqual([]);
});

test('python is python3 where there is no other', async () => {
  const { run: ended } = await push({
    'ame.yaml': `projectname: shim\non: push\ntasks:\n  main: python -c "import sys; print(sys.version_info[0], sys.argv)" "a b"\n`,
  });
  expect(await ame.read.log(ended, 'main')).toBe("3 ['-c', 'a b']\n");
});

test('exit codes and signals are told as what they are', async () => {
  const { run: ended, pushed } = await push({
    'ame.yaml': text`
      projectname: endings
      on: push
      tasks:
        main:
          pipeline:
            seven: {needs: [], runcommand: exit 7}
            first_of_two: {needs: [], runcommand: [exit 4, echo never]}
            missing: {needs: [], runcommand: no_such_program --fast}
            missing_in_bash: {needs: [], runcommand: bash -c no_such_word}
            plain: {needs: [], runcommand: ./plain.txt}
            segfault: {needs: [], runcommand: kill -SEGV $$}
            child: {needs: [], runcommand: "python3 -c 'import os; os.kill(os.getpid(), 9)'"}
            unbalanced: {needs: [], runcommand: "echo 'oops"}
    `,
    'plain.txt': 'text\n',
  });
  const rows = await ame.read.attempts(ended);
  const told = Object.fromEntries(
    rows.map((row) => [row.task, [row.class, row.exitCode, row.signal, row.reason]]),
  );
  expect(told).toEqual({
    seven: ['exit', 7, null, 'The command ended with exit code 7.'],
    first_of_two: ['exit', 4, null, 'The command ended with exit code 4.'],
    missing: ['command_not_found', 127, null, expect.stringContaining('`no_such_program`')],
    missing_in_bash: ['command_not_found', 127, null, expect.stringContaining('`no_such_word`')],
    plain: ['not_executable', 126, null, expect.stringContaining('chmod +x')],
    segfault: ['signal', 139, 'SIGSEGV', 'The command was ended by SIGSEGV.'],
    child: ['signal', 137, 'SIGKILL', 'The command was ended by SIGKILL.'],
    unbalanced: ['exit', 2, null, 'The command ended with exit code 2.'],
  });
  const { says } = await ame.read.check(pushed.commit, ended);
  expect(says.title).toMatch(/^Failed after .* \(8 tasks\): \w+: /);
});

test('what a local process is not given is said once a run', async () => {
  const { run: ended, pushed } = await push({
    'ame.yaml': text`
      projectname: asks
      on: push
      tasks:
        main:
          pipeline:
            one: {runcommand: 'true ', resources: {cpu: 2, memory: 900Gi}, image: busybox}
            two: {runcommand: 'true ', resources: {memory: 1Gi, gpus: 64}, image: busybox}
    `,
  });
  const { says } = await ame.read.check(pushed.commit, ended);
  expect(says.summary.split('\n').filter((line) => line.startsWith('- Notice: '))).toHaveLength(3);
  expect(says.lines.filter((line) => line.startsWith('notice: '))).toEqual([
    expect.stringContaining('memory'),
    expect.stringContaining('images'),
    expect.stringContaining('GPU'),
  ]);
  expect(ended.state).toBe('succeeded');
  // What nobody keeps is not shown as if it had been given, and no ceiling stands in its way.
  expect((await ame.read.attempts(ended)).map(({ resources }) => resources)).toEqual([null, null]);
});
