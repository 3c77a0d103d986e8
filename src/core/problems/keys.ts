import { all, either, shown } from './wording.ts';
import { define } from './definition.ts';

/** Keys that are unknown, missing, or of the wrong shape. */
export const keyProblems = {
  'wrong-type': define<{ what: string; expected: string; found: string; write: string }>({
    severity: 'error',
    explanation: 'The value has another shape than its key takes.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: 2}\n',
    message: ({ what, expected, found }) => `${what} must be ${expected}, and this is ${found}.`,
    remedy: ({ write }) => write,
  }),
  'unknown-key': define<{
    key: string;
    where: string;
    nearest: string | null;
    hint: string | null;
    known: readonly string[];
  }>({
    severity: 'error',
    explanation:
      'A key that AME does not know is a mistake more often than not, so it is not passed over. Keys that begin with `x-` are. Where only one key can be meant, the value is read as if it stood there, so that what is wrong inside shows at once; the error remains.',
    example: 'projectname: spam\ntasks:\n  train: {runcomand: python train.py}\n',
    message: ({ key, where }) => `${shown(key)} is no key of ${where}.`,
    remedy: ({ nearest, hint, known }) => {
      if (hint !== null) return hint;
      return nearest === null ? `Known here: ${all(known, 20)}.` : `Write ${shown(nearest)}.`;
    },
  }),
  'not-available-yet': define<{ key: string; description: string }>({
    severity: 'error',
    explanation:
      'The name is kept for something that is planned and not built; it would have no effect today.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, cache: true}\n',
    message: ({ key, description }) => `${shown(key)} is not available yet (${description}).`,
    remedy: ({ key }) => `Remove it for now, or keep it for later as ${shown(`x-${key}`)}, which is ignored.`,
  }),
  'missing-key': define<{ key: string; where: string; example: string }>({
    severity: 'error',
    absence: true,
    explanation: 'A key without which the rest means nothing is not there.',
    example: 'tasks:\n  train: python train.py\n',
    message: ({ key, where }) => `${shown(key)} is missing in ${where}.`,
    remedy: ({ example }) => `Add it, as in ${shown(example)}.`,
  }),
  'empty-key': define<{ what: string; means: string }>({
    severity: 'notice',
    absence: true,
    explanation: 'A key with nothing after it counts as absent.',
    example: 'projectname: spam\ntasks:\n  train:\n    runcommand: python train.py\n    env:\n',
    message: ({ what, means }) => `${what} has nothing after it and ${means}.`,
    remedy: () => 'Give it a value or delete it.',
  }),
  'empty-list': define<{ key: string; means: string }>({
    severity: 'error',
    explanation: 'A list without items would let nothing through, which nobody means.',
    example: 'projectname: spam\non: {push: {branches: []}}\ntasks: {train: python train.py}\n',
    message: ({ key, means }) => `${shown(key)} is an empty list: ${means}.`,
    remedy: ({ key }) => `Put at least one item in, or delete ${shown(key)}.`,
  }),
  'exclusive-keys': define<{ key: string; other: string; line: number; why: string }>({
    severity: 'error',
    explanation: 'Two keys that exclude each other stand in one map.',
    example:
      'projectname: spam\ntasks:\n  train: {runcommand: python train.py, taskref: other}\n  other: python other.py\n',
    message: ({ key, other, line, why }) =>
      `${shown(key)} cannot stand beside ${shown(other)} of line ${line}: ${why}.`,
    remedy: ({ key, other }) => `Keep ${shown(other)} or ${shown(key)}, not both.`,
  }),
  'older-spelling': define<{ written: string; present: string }>({
    severity: 'warning',
    explanation: 'An older form of the file; it is read, and the present form is shown.',
    example: 'name: spam\ntasks:\n  train: python train.py\n',
    message: ({ written }) => `${written} is an older form. It is still read.`,
    remedy: ({ present }) => `Write ${present}.`,
  }),
  'reads-differently': define<{ text: string; read: string }>({
    severity: 'warning',
    explanation:
      'Text is meant here, and it is taken as it is written; YAML itself reads it as another value, and other tools will.',
    example:
      'projectname: spam\ntasks:\n  train:\n    runcommand: python train.py\n    env: {PYTHON: 3.10}\n',
    message: ({ text, read }) =>
      `YAML reads ${shown(text)} as ${read}; it was taken as the text that is written.`,
    remedy: ({ text }) => `Put quotes around it: "${text}"`,
  }),
  'bad-choice': define<{
    what: string;
    text: string;
    choices: readonly string[];
    nearest: string | null;
    hint: string | null;
  }>({
    severity: 'error',
    explanation: 'The value is none of the words that its key takes.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, if: sucess}\n',
    message: ({ what, text, choices }) => `${what} is ${either(choices)}, not ${shown(text)}.`,
    remedy: ({ choices, nearest, hint }) =>
      hint ?? `Write ${nearest === null ? either(choices) : shown(nearest)}.`,
  }),
};
