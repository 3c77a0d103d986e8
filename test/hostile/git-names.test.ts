import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAme, type Ame } from '../journeys/harness.ts';
import { text } from '../journeys/text.ts';

const execute = promisify(execFile);

let ame: Ame;
/** Of every word that a shell or an option parser acted on, this file would be the trace, wherever it did so. */
let trace: string;
beforeAll(async () => {
  trace = join(await mkdtemp(join(tmpdir(), 'ame-test-names-')), 'was-run-by-a-name');
  ame = await createAme();
});
afterAll(async () => {
  await ame[Symbol.asyncDispose]();
  await rm(dirname(trace), { recursive: true, force: true });
});

/** Each of these leaves the trace where a shell reads it. No name of git has a space; a shell makes one of `${IFS}`. */
function shellWords(): readonly string[] {
  const touch = `touch\${IFS}${trace}`;
  return [`$(${touch})`, `\`${touch}\``, `;${touch};`, `|${touch}`, `&&${touch}`];
}

/** This one where git takes it for an option. */
function optionWord(): string {
  return `--upload-pack=touch\${IFS}${trace};false`;
}

/** Git takes these; each is an attack on somebody who puts it into a command, a terminal or a page. */
function branchNames(): readonly string[] {
  return [
    optionWord(),
    ...shellWords(),
    '-x',
    `'quotes"and'`,
    '{a,b}',
    '%s%n%00',
    '\u{2024}\u{2024}',
    '\u{202e}niam\u{2066}',
    '\u{200b}main',
    '<b>main</b>',
    'x'.repeat(200),
  ];
}

/** Nothing that a terminal would act on. */
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

test('these names do leave their trace where a shell reads them, or git for an option', async () => {
  for (const word of shellWords()) {
    await execute('sh', ['-c', `true ${word}`]).catch(() => undefined);
    expect([word, existsSync(trace)]).toEqual([word, true]);
    await rm(trace);
  }
  await execute('git', ['ls-remote', optionWord(), dirname(trace)]).catch(() => undefined);
  expect(existsSync(trace)).toBe(true);
  await rm(trace);
});

test('names of branches never meet a shell, an option parser or a terminal', async () => {
  const repository = await ame.repository();
  await repository.commit({
    'ame.yaml': 'projectname: named\non: {push: {branches: ["**"]}}\ntasks: {main: "true"}\n',
  });
  const branches = branchNames();
  const refspecs: string[] = [];
  for (const branch of branches) {
    await repository.git('commit', '--quiet', '--allow-empty', '-m', `for ${JSON.stringify(branch)}`);
    refspecs.push(`${(await repository.git('rev-parse', 'HEAD')).trim()}:refs/heads/${branch}`);
  }
  const pushed = await repository.push(undefined, { refspecs });
  expect([pushed.code, pushed.text]).toEqual([0, pushed.text]);
  expect(acting.test(pushed.lines.join('\n'))).toBe(false);
  await ame.settle();
  const runs = await ame.read.runs(repository);
  expect(new Set(runs.map(({ ref, state }) => `${ref} ${state}`))).toEqual(
    new Set(branches.map((branch) => `refs/heads/${branch} succeeded`)),
  );
  for (const run of runs) {
    const page = await fetch(`${ame.address}/runs/${run.id}`, {
      headers: { authorization: `Bearer ${ame.ctx.token}`, accept: 'text/html' },
    });
    const html = await page.text();
    expect([page.status, html.includes('<b>main'), acting.test(html)]).toEqual([200, false, false]);
    const { says } = await ame.read.check(run.commit, run);
    expect(acting.test(JSON.stringify(says))).toBe(false);
  }
  expect(existsSync(trace)).toBe(false);
});

test('messages and paths of a commit are its content, whatever they are', async () => {
  const repository = await ame.repository();
  const names = [
    '-rf',
    '--help',
    'line\nend',
    'tab\there',
    `quote'"s`,
    // A directory and a file in it: the whole path is the word.
    `$(touch ${trace})`,
    `--output=${trace}`,
    '\u{202e}txt.exe',
    '\u{1b}[31mred',
    ' spaces ',
    'back\\slash',
    ':(glob)**',
    'x'.repeat(240),
  ];
  for (const name of names) {
    await mkdir(dirname(join(repository.directory, name)), { recursive: true });
    await writeFile(join(repository.directory, name), name);
  }
  // No UTF-8 at all.
  await writeFile(
    Buffer.concat([Buffer.from(`${repository.directory}/`), Buffer.from([0xff, 0xfe, 0x2d])]),
    'bytes',
  );
  const pushed = await repository.push(
    {
      'ame.yaml': text`
        projectname: pathed
        on: {push: {paths: ["-rf", "**"]}}
        tasks:
          main:
            artifacts: ["made-*"]
            runcommand: |
              find . -type f -not -name ame.yaml -printf x | wc -c
              printf made > "$(printf 'made-\\033[31m\\n-name')"
      `,
      link: { link: 'ame.yaml' },
    },
    { message: `--author=me\n\n\u{1b}]0;title\u{7}\u{202e}\n'"; touch ${trace}\n${'long '.repeat(2_000)}` },
  );
  expect([pushed.code, acting.test(pushed.lines.join('\n'))]).toEqual([0, false]);
  await ame.settle();
  const run = await ame.read.run(repository);
  expect([run.state, run.reason]).toEqual(['succeeded', null]);
  expect(await ame.read.log(run, 'main')).toBe(`${names.length + 1}\n`);
  const [artifact] = await ame.read.artifacts(run, 'main');
  expect(artifact && (await ame.read.content(artifact))).toBe('made');
  const { body } = await ame.api('GET', `/commits/${pushed.commit}`);
  expect(acting.test(JSON.stringify(body))).toBe(false);
  expect(existsSync(trace)).toBe(false);
  await rm(join(repository.directory, names[0] ?? ''));
});

test('links that leave the repository, and submodules, are what the docs say', async () => {
  const repository = await ame.repository();
  const file = 'projectname: linked\non: push\ntasks: {main: "ls -d vendor && cat inner"}\n';
  await repository.push({ 'ame.yaml': file, inner: { link: 'real' }, real: 'content\n' });
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${'c0ffee'.padEnd(40, '0')},vendor`);
  await repository.git('commit', '--quiet', '-m', 'a submodule');
  await repository.push();
  await ame.settle();
  const run = await ame.read.run(repository);
  // Like git without --recurse-submodules: an empty directory.
  expect([run.state, await ame.read.log(run, 'main')]).toEqual(['succeeded', 'vendor\ncontent\n']);
  for (const target of ['/etc/passwd', '../../../etc/passwd', 'a/../../b']) {
    await repository.git('reset', '--hard', '--quiet');
    await repository.push({ leaving: { link: target } });
    await ame.settle();
    const refused = await ame.read.run(repository);
    expect([target, refused.state, refused.class]).toEqual([target, 'failed', 'content_refused']);
    expect(refused.reason).toContain('leaving');
  }
});
