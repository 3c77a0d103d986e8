import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileCheck } from '../../src/core/check/file-check.ts';
import { plainCheck } from '../../src/core/check.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { ame } from './fake-terminal.ts';

const good = 'projectname: spam\non: push\ntasks:\n  main: python train.py\n';
const bad =
  'projectname: spam\ntasks:\n  main:\n    runcomand: x\n  other: {needs: [nobody], runcommand: y}\n';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ame-test-check-'));
  for (const [name, text] of [
    ['good', good],
    ['bad', bad],
    ['both', good],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'ame.yaml'), text);
  }
  await writeFile(join(folder, 'both', 'ame.yml'), bad);
  await mkdir(join(folder, 'misnamed'));
  await writeFile(join(folder, 'misnamed', 'ame.yml'), good);
  await mkdir(join(folder, 'empty'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([['good'], ['good/ame.yaml']])('%s is good', async (path) => {
  expect(await ame(['check', path], { cwd: folder })).toEqual({
    code: 0,
    out: 'ame.yaml: success: ame.yaml is valid\n',
    err: '',
  });
});

test('here is the default', async () => {
  expect(await ame(['check'], { cwd: join(folder, 'good') })).toMatchObject({ code: 0 });
});

test('a bad file gets the words of the server', async () => {
  const { problems } = parseProjectFile(bad);
  const said = plainCheck(
    fileCheck({ project: null, problems, decision: null, runs: [], externalId: '', url: null }),
  );
  expect(await ame(['check', 'bad'], { cwd: folder })).toEqual({ code: 2, out: said, err: '' });
});

test('for programs', async () => {
  const { code, out, err } = await ame(['check', 'bad', '--json'], { cwd: folder });
  const printed = JSON.parse(out) as { problems: Record<string, unknown>[] };
  expect([code, err]).toEqual([2, '']);
  expect(printed).toEqual({ valid: false, problems: parseProjectFile(bad).problems });
  for (const problem of printed.problems) {
    expect(Object.keys(problem)).toEqual(['code', 'severity', 'message', 'remedy', 'line', 'column', 'path']);
  }
  expect(JSON.parse((await ame(['check', 'good', '--json'], { cwd: folder })).out)).toEqual({
    valid: true,
    problems: [],
  });
});

test('an ame.yml beside it is noticed', async () => {
  const { code, out } = await ame(['check', 'both'], { cwd: folder });
  expect(code).toBe(0);
  expect(out).toContain('notice: There is an ame.yml beside ame.yaml');
});

test.each([
  ['misnamed', 'ame: There is an ame.yml in misnamed, but only ame.yaml is read: rename it.\n'],
  ['empty', 'ame: There is no ame.yaml in empty. ame init writes one.\n'],
  ['nowhere', 'ame: There is no nowhere.\n'],
])('%s has nothing to check', async (path, message) => {
  expect(await ame(['check', path], { cwd: folder })).toEqual({ code: 2, out: '', err: message });
});

test('colours are for terminals that want them', async () => {
  const red = '\u001b[31m';
  const asked = { cwd: join(folder, 'bad') };
  expect((await ame(['check'], { ...asked, tty: true })).out).toContain(red);
  expect((await ame(['check'], asked)).out).not.toContain(red);
  expect((await ame(['check'], { ...asked, tty: true, env: { NO_COLOR: '1' } })).out).not.toContain(red);
});
