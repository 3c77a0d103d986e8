import { shown } from './wording.ts';
import { define } from './definition.ts';

/** Single values that are not what their key takes. */
export const valueProblems = {
  'bad-name': define<{ what: string; text: string; why: string; suggestion: string | null }>({
    severity: 'error',
    explanation:
      'Names have 1 to 63 characters of a-z, A-Z, 0-9, dot, underscore and hyphen, and begin with a letter or digit.',
    example: 'projectname: my project\ntasks: {train: python train.py}\n',
    message: ({ what, text, why }) => `${shown(text)} cannot be ${what}: ${why}.`,
    remedy: ({ suggestion }) =>
      suggestion === null
        ? 'Use 1 to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit.'
        : `Write something like ${shown(suggestion)}.`,
  }),
  'bad-number': define<{ what: string; text: string; least: number; most: number; example: string }>({
    severity: 'error',
    explanation: 'A whole number within bounds is needed.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: {gpus: 0.5}}\n',
    message: ({ what, text, least, most }) =>
      `${what} is a whole number from ${least} to ${most}, not ${shown(text)}.`,
    remedy: ({ example }) => `Write ${shown(example)}, for instance.`,
  }),
  'bad-quantity': define<{ what: string; text: string; why: string; suggestions: readonly string[] }>({
    severity: 'error',
    explanation: 'Sizes are numbers or Kubernetes quantities: `500m`, `2`, `8Gi`, `1.5Ti`, `500M`.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: {memory: 8GB}}\n',
    message: ({ what, text, why }) => `${shown(text)} is no ${what}: ${why}.`,
    remedy: ({ suggestions }) => `Write ${suggestions.map(shown).join(' or ')}.`,
  }),
  'quantity-too-small': define<{
    what: string;
    text: string;
    means: string;
    least: string;
    suggestion: string;
  }>({
    severity: 'error',
    explanation:
      'So little that nothing could start with it; usually the unit is missing or has the wrong case.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: {memory: 8}}\n',
    message: ({ what, text, means, least }) =>
      `${shown(text)} of ${what} is ${means}; nothing starts with less than ${least}.`,
    remedy: ({ suggestion }) => `Write the unit, as in ${shown(suggestion)}.`,
  }),
  'bad-range': define<{ what: string; text: string; why: string; suggestion: string }>({
    severity: 'error',
    explanation: 'A range is `start..ceiling`, and it starts at or below its ceiling.',
    example:
      'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: {memory: 32Gi..8Gi}}\n',
    message: ({ what, text, why }) => `${shown(text)} is no range of ${what}: ${why}.`,
    remedy: ({ suggestion }) => `Write ${shown(suggestion)}.`,
  }),
  'vram-without-gpus': define<Record<string, never>>({
    severity: 'warning',
    explanation: '`vram` is the memory of each GPU; where no GPU is asked for, it has no effect.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: {vram: 24Gi}}\n',
    message: () => '`vram` has no effect, because the task asks for no GPU.',
    remedy: () => 'Add `gpus: 1`, or delete `vram`.',
  }),
  'bad-duration': define<{ what: string; text: string; why: string; suggestion: string }>({
    severity: 'error',
    explanation:
      'Durations are whole numbers with a unit, and sums of them: `30s`, `10m`, `6h`, `2d`, `1h30m`.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, timeout: 90}\n',
    message: ({ what, text, why }) => `${shown(text)} is no ${what}: ${why}.`,
    remedy: ({ suggestion }) => `Write ${shown(suggestion)}.`,
  }),
  'bad-schedule': define<{ text: string; field: string | null; why: string; write: string }>({
    severity: 'error',
    explanation:
      'A schedule has five fields (minute, hour, day of month, month, day of week) or is an alias such as `@daily`.',
    example:
      'projectname: spam\ntasks: {main: python train.py}\nrecurring_tasks:\n  nightly: {taskref: main, schedule: "0 25 * * *"}\n',
    message: ({ text, field, why }) =>
      field === null
        ? `${shown(text)} is no schedule: ${why}.`
        : `The ${field} ${shown(text)} of the schedule is wrong: ${why}.`,
    remedy: ({ write }) => write,
  }),
  'bad-timezone': define<{ text: string; nearest: string | null }>({
    severity: 'error',
    explanation: 'Time zones have IANA names, so that summer time is known.',
    example:
      'projectname: spam\ntasks: {main: python train.py}\nrecurring_tasks:\n  nightly: {taskref: main, schedule: "@daily", timezone: Copenhagen}\n',
    message: ({ text }) => `There is no time zone ${shown(text)}.`,
    remedy: ({ nearest }) =>
      nearest === null
        ? 'Write an IANA name such as `Europe/Copenhagen` or `UTC`.'
        : `Write ${shown(nearest)}.`,
  }),
  'bad-variable': define<{ text: string; why: string; suggestion: string | null }>({
    severity: 'error',
    explanation:
      'Names of environment variables have letters, digits and underscores and do not begin with a digit; no shell can hold others.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, env: {my-stage: test}}\n',
    message: ({ text, why }) => `${shown(text)} cannot be the name of a variable: ${why}.`,
    remedy: ({ suggestion }) =>
      suggestion === null
        ? 'Use letters, digits and underscores, beginning with a letter.'
        : `Write ${shown(suggestion)}.`,
  }),
  'reserved-variable': define<{ text: string }>({
    severity: 'error',
    explanation: 'Variables that begin with `AME_` are set by AME itself.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, env: {AME_RUN: 7}}\n',
    message: ({ text }) => `${shown(text)} is a name that AME keeps for itself.`,
    remedy: ({ text }) => `Write another name, such as ${shown(text.replace(/^AME_+/iu, 'MY_'))}.`,
  }),
  'duplicate-variable': define<{ text: string; line: number }>({
    severity: 'error',
    explanation: 'A variable can have one value.',
    example:
      'projectname: spam\ntasks:\n  train:\n    runcommand: python train.py\n    env: [{envkey: STAGE, value: a}, {envkey: STAGE, value: b}]\n',
    message: ({ text, line }) => `The variable ${shown(text)} is already set in line ${line}.`,
    remedy: () => 'Keep one of the two.',
  }),
  'env-and-secret': define<{ text: string; line: number; first: string }>({
    severity: 'error',
    explanation: 'A variable has its value from `env` or from a secret, never from both.',
    example:
      'projectname: spam\ntasks:\n  train:\n    runcommand: python train.py\n    env: {TOKEN: none}\n    secrets: [TOKEN]\n',
    message: ({ text, line, first }) =>
      `The variable ${shown(text)} is already set under ${shown(first)} in line ${line}.`,
    remedy: () => 'Keep the secret if the value is secret, otherwise the plain value.',
  }),
  'bad-retry-cause': define<{ text: string; why: string; suggestion: string }>({
    severity: 'error',
    explanation: 'A retry is for `exit:N`, `exit:A-B` (exit codes 1 to 255), `signal` or `timeout`.',
    example:
      'projectname: spam\ntasks:\n  train: {runcommand: python train.py, retries: {max: 2, on: [exit:0]}}\n',
    message: ({ text, why }) => `${shown(text)} is nothing to retry on: ${why}.`,
    remedy: ({ suggestion }) => `Write ${shown(suggestion)}.`,
  }),
  'bad-glob': define<{ text: string; why: string; suggestion: string }>({
    severity: 'error',
    explanation:
      'Patterns are relative to the root of the repository and use `*`, `**`, `?` and a leading `!`.',
    example:
      'projectname: spam\ntasks:\n  train: {runcommand: python train.py, artifacts: [/out/model.bin]}\n',
    message: ({ text, why }) => `The pattern ${shown(text)} can never match: ${why}.`,
    remedy: ({ suggestion }) => `Write ${shown(suggestion)}.`,
  }),
  'literal-glob': define<{ text: string; character: string }>({
    severity: 'warning',
    explanation: 'Brackets and braces are ordinary characters in patterns.',
    example:
      'projectname: spam\ntasks:\n  train: {runcommand: python train.py, artifacts: ["out/*.{csv,json}"]}\n',
    message: ({ text, character }) =>
      `In ${shown(text)} the ${shown(character)} stands for itself; it is no part of a pattern.`,
    remedy: () => 'Write one pattern for each alternative, unless names really contain it.',
  }),
  'bad-image': define<{ text: string; why: string; suggestion: string | null }>({
    severity: 'error',
    explanation: 'An image is named as `registry/name:tag` or by its digest.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, image: "Acme/Train:1.4"}\n',
    message: ({ text, why }) => `${shown(text)} names no image: ${why}.`,
    remedy: ({ suggestion }) =>
      `Write ${shown(suggestion ?? 'ghcr.io/acme/train:1.4')}${suggestion === null ? ', for instance' : ''}.`,
  }),
};
