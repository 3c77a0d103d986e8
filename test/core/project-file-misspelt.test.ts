import { describe, expect, test } from 'vitest';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { fixtures } from './project-file-fixtures.ts';

/** Something is wrong below every container, by itself or as a reference. */
const file = `projectname: spam
tasks:
  main:
    pipeline:
      fetch:
        runcommand: ''
        env:
          my-stage: test
        secrets:
          TOKEN: é
        resources:
          memory: 8GB
          gpus: some
        artifacts:
          - /out
      train:
        needs:
          - fecth
        runcommand: python train.py
        timeout:
          queue: 5
        retries:
          max: many
          backoff: soon
      publish:
        taskref: uplaod
  upload: python upload.py
on:
  push:
    branches:
      - /main
    run:
      - mian
  pull_request:
    forks: perhaps
concurrency:
  when_busy: wait
recurring_tasks:
  nightly:
    taskref: mian
    schedule: 0 25 * * *
    timezone: Europe/Copenhage
`;
const lines = file.split('\n');

function told(text: string): readonly string[] {
  return parseProjectFile(text).problems.map(({ code, line }) => `${line} ${code}`);
}

const misspellings: Readonly<Record<string, (key: string) => string>> = {
  'in capitals': (key) => key.toUpperCase(),
  'with a hyphen': (key) => `${key.slice(0, 1)}-${key.slice(1)}`,
  'with a letter too many': (key) => key.slice(0, 2) + key.slice(1),
  'with two letters swapped': (key) => key.slice(0, -2) + key.slice(-1) + key.slice(-2, -1),
};

const keys = lines.flatMap((text, at) => {
  const key = /^ *([a-z_]+):/u.exec(text)?.[1];
  const isName = ['main', 'fetch', 'train', 'publish', 'upload', 'nightly'].includes(key ?? '');
  return key === undefined || isName ? [] : [{ key, at }];
});

describe('below a misspelt key everything is told as if it were right', () => {
  const right = told(file);

  test('there is something to tell', () => {
    expect(right.length).toBeGreaterThanOrEqual(17);
  });

  test.each(Object.entries(misspellings))('%s', (how, misspell) => {
    for (const { key, at } of keys) {
      // `no` for `on` is half of the word, so it is not read.
      if (misspell(key) === key || (key === 'on' && how.includes('swapped'))) continue;
      const text = lines.with(at, (lines[at] ?? '').replace(key, misspell(key))).join('\n');
      const wanted = [...right, `${at + 1} unknown-key`].toSorted(byLine);
      expect(told(text).toSorted(byLine), misspell(key)).toEqual(wanted);
    }
  });

  function byLine(one: string, other: string): number {
    return Number.parseInt(one, 10) - Number.parseInt(other, 10) || (one < other ? -1 : 1);
  }
});

describe('a key that nothing else explains', () => {
  test('never makes a file valid', () => {
    for (const { content, name } of fixtures('valid')) {
      const text = new TextDecoder().decode(content);
      const misspelt = text.replace(/^tasks:/mu, 'Tasks:');
      if (misspelt === text) continue;
      const { project, problems } = parseProjectFile(misspelt);
      expect(project, name).toBeNull();
      expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([
        { code: 'unknown-key' },
      ]);
    }
  });

  test.each([
    ['two of a kind', 'task: {a: ""}\ntaks: {b: ""}'],
    ['beside the right one', 'tasks: {a: x}\ntask: {b: ""}'],
    ['half of a short word', 'tasks: {a: {runcommand: x, id: 4}}'],
  ])('is not read: %s', (_, text) => {
    const { problems } = parseProjectFile(`projectname: spam\n${text}\n`);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['unknown-key']));
  });

  test('takes what the map lacks where two are as near', () => {
    const { problems } = parseProjectFile(
      'projectname: spam\ntasks: {a: {runcommand: x, resources: {cpu: 1, gpuu: many}}}\n',
    );
    expect(problems.map(({ code, remedy }) => [code, remedy])).toEqual([
      ['unknown-key', 'Write `gpus`.'],
      ['bad-number', 'Write `gpus: 1`, for instance.'],
    ]);
  });
});
