import { describe, expect, test } from 'vitest';
import { parseIgnoreFile } from '../../src/core/ignore-file.ts';
import { isLeftOut } from '../../src/core/ignore-list.ts';
import { artifactsOf } from '../../src/core/snapshot/artifacts.ts';
import { createMemoryTrees, edited, file, put, type Edit } from './snapshot-model.ts';

const commit = edited(new Map(), [
  put('train.py', 'p'),
  put('out/old.txt', 'o'),
  put('data/in.csv', 'd'),
  put('gone', 'g'),
]);
const work: Edit[] = [
  put('out/model.bin', 'm'),
  put('out/log.tmp', 't'),
  put('data/in.csv', 'D'),
  { op: 'put', entry: file('train.py', 'p', 0o755) },
  { op: 'put', entry: file('out/old.txt', 'o', 0o644, 99n) },
  { op: 'put', entry: { type: 'symlink', path: 'latest', target: 'out', mtime: 0n } },
  { op: 'put', entry: { type: 'directory', path: 'empty', mode: 0o755, mtime: 0n } },
  { op: 'remove', path: 'gone' },
];

async function artifacts(globs: readonly string[] | null, ignoreFile = ''): Promise<string[]> {
  const memory = createMemoryTrees();
  const { ignores } = parseIgnoreFile(ignoreFile);
  const [input, output] = [memory.save(commit), memory.save(edited(commit, work))];
  return (await artifactsOf(memory.read, input, output, { globs, ignores })).map(({ path }) => path);
}

const all = ['data/in.csv', 'out/log.tmp', 'out/model.bin', 'train.py'];

describe('artifacts', () => {
  test.each<[string, readonly string[] | null, string, string[]]>([
    ['are every new or changed file', null, '', all],
    ['are not what the ignore file names', null, '*.tmp\n/data\n', ['out/model.bin', 'train.py']],
    ['are what it takes back', null, '*\n!out/\n!*.bin\n', ['out/model.bin']],
    [
      'are what the globs match, among new and changed files',
      ['out/**', '!out/*.tmp'],
      '',
      ['out/model.bin'],
    ],
    ['are what the globs match, whatever the ignore file says', ['**/*.tmp'], '*.tmp', ['out/log.tmp']],
    ['are all but what is excluded', ['!**/*.tmp'], '', all.filter((path) => path !== 'out/log.tmp')],
    ['are none where no glob is given', [], '', []],
  ])('%s', async (_, globs, ignoreFile, expected) => {
    expect(await artifacts(globs, ignoreFile)).toEqual(expected);
  });
});

describe('an ignore file', () => {
  test('tells cases apart, reads classes and both kinds of line ends', () => {
    const { ignores } = parseIgnoreFile('# notes\r\nBuild/\r\n*.py[co]\r\n\\#x\r\n');
    const paths = ['Build/a', 'build/a', 'a/x.pyc', 'a/x.py', '#x', '# notes'];
    expect(paths.filter(ignores)).toEqual(['Build/a', 'a/x.pyc', '#x']);
  });

  test('takes any path a snapshot may hold', () => {
    const { ignores } = parseIgnoreFile('x');
    for (const path of ['..x', ' ', '\\', 'a\nb', '...', '\\xff', 'C:/x'])
      expect(ignores(path)).toBe(path.endsWith('/x'));
  });

  test('says which lines have too many stars', () => {
    expect(parseIgnoreFile('a/**/b/*\n*a*a*a*a*b\n**/*.tmp').refused).toEqual([2]);
  });
});

test('what tools make anew stays where it is', () => {
  const names = ['.git', '.venv', 'node_modules', '__pycache__', 'data', 'venv', '.cache', '.gitignore'];
  expect(names.filter(isLeftOut)).toEqual(['.git', '.venv', 'node_modules', '__pycache__']);
});
