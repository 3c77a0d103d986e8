import { expect, test } from 'vitest';
import { parseRunName } from '../../src/cli/find-run.ts';

test.each([
  ['weather#3', { project: 'weather', number: 3 }],
  ['3', { project: null, number: 3 }],
  ['#3', { project: null, number: 3 }],
  ['http://127.0.0.1:8080/runs/12', { id: 12 }],
  ['http://127.0.0.1:8080/runs/12?token=x', { id: 12 }],
  ['0', undefined],
  ['weather', undefined],
  ['weather#', undefined],
  ['weather#x', undefined],
  ['-3', undefined],
  ['3.5', undefined],
  ['', undefined],
])('%j', (text, named) => {
  expect(parseRunName(text)).toEqual(named);
});
