import { expect, test } from 'vitest';
import { commandNotFound } from '../../src/core/command-not-found.ts';

test.each([
  ['sh: 1: torchrun: not found', 'torchrun'],
  ['/data/12/script: 31: torchrun: not found', 'torchrun'],
  ['sh: 2: exec: torchrun: not found', 'torchrun'],
  ['sh: torchrun: not found', 'torchrun'],
  ['sh: line 1: torchrun: command not found', 'torchrun'],
  ['/bin/sh: torchrun: command not found', 'torchrun'],
  ['sh: line 3: ./train.sh: No such file or directory', './train.sh'],
  ["env: 'python2': No such file or directory", 'python2'],
  ['/usr/bin/env: ‘python2’: No such file or directory', 'python2'],
  ['timeout: failed to run command ‘train’: No such file or directory', 'train'],
  ['loading\nsh: 1: a: not found\nsh: 2: b: not found\nbye', 'b'],
  ['Traceback: nothing of the kind', null],
  ['', null],
])('%s', (stderr, expected) => {
  expect(commandNotFound(`${stderr}\n`)).toBe(expected);
});
