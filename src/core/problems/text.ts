import { counted, shown } from './wording.ts';
import { define } from './definition.ts';

/** What is wrong with the file before YAML is looked at: bytes and bounds. */
export const textProblems = {
  'file-too-large': define<{ bytes: number; most: number }>({
    severity: 'error',
    explanation: 'The file may have 262,144 bytes (256 KiB); it is refused before anything is read from it.',
    example: '# 256 KiB of text and one byte more',
    message: ({ bytes, most }) =>
      `The file has ${counted(bytes, 'byte')}; ${counted(most, 'byte')} are the most that is read.`,
    remedy: () => 'Move data and long scripts into files of the repository and call them from `runcommand`.',
  }),
  'not-utf8': define<{ what: string; save: string }>({
    severity: 'error',
    explanation: 'The file must be UTF-8, so that every reader sees the same characters.',
    example: 'projectname: "\ud800"',
    message: ({ what }) => `The file is not UTF-8: ${what}.`,
    remedy: ({ save }) => save,
  }),
  'control-character': define<{ character: string; more: number }>({
    severity: 'error',
    explanation: 'YAML allows no control characters; they are invisible and usually got in by accident.',
    example: 'projectname: spam\u0000\ntasks: {train: python train.py}\n',
    message: ({ character, more }) =>
      `There is a control character (${character}) here` +
      (more > 0 ? `, and ${counted(more, 'further one')} below.` : '.'),
    remedy: () =>
      'Delete it. Where a value needs it, write it between double quotes as an escape such as `"\\x1b"`.',
  }),
  'unstorable-text': define<{ character: string }>({
    severity: 'error',
    explanation:
      'An escape stands for NUL or for half of a character: no command, variable or name can hold that.',
    example: 'projectname: spam\ntasks:\n  train: "printf \\0"\n',
    message: ({ character }) => `This text holds ${character}, which no command, variable or name can hold.`,
    remedy: () => 'Delete the escape. Between single quotes a backslash is only a backslash.',
  }),
  'strange-space': define<{ character: string }>({
    severity: 'error',
    explanation:
      'A character that looks like a space but is none stands where YAML needs a space; copying from web pages and chats brings it.',
    example: 'projectname: spam\ntasks:\n\u00a0\u00a0train: python train.py\n',
    message: ({ character }) => `What looks like a space here is another character (${character}).`,
    remedy: () => 'Delete it and type an ordinary space.',
  }),
  'too-deep': define<{ most: number }>({
    severity: 'error',
    explanation: 'Maps and lists may stand inside each other 64 deep; deeper files are refused unread.',
    example: 'x-deep: [[[[ … 65 of them … ]]]]',
    message: ({ most }) => `Maps and lists are nested more than ${most} deep here.`,
    remedy: () => 'Write it flatter; no part of ame.yaml needs more than 14 levels.',
  }),
  'too-many-aliases': define<{ count: number; most: number }>({
    severity: 'error',
    explanation: 'A file may use 100 aliases (`*name`); more are refused unread.',
    example: 'x-a: &a 1\nx-b: [*a, *a, … 101 of them …]',
    message: ({ count, most }) =>
      `The file uses ${counted(count, 'alias')}es; ${most} are the most that is read.`.replace(
        'aliass',
        'alias',
      ),
    remedy: () =>
      'Write the values out, or share one task through `taskref`. A value that begins with `*` needs quotes.',
  }),
  'aliases-too-large': define<{ most: number }>({
    severity: 'error',
    explanation: 'Aliases that repeat each other multiply; together they may stand for 10,000 values.',
    example: 'x-a: &a [1, 1, …]\nx-b: &b [*a, *a, …]\nx-c: [*b, *b, …]',
    message: ({ most }) =>
      `From this alias on, the aliases of the file stand for more than ${counted(most, 'value')}.`,
    remedy: () => 'Write the values out, or share one task through `taskref`.',
  }),
  'more-problems': define<{ count: number }>({
    severity: 'notice',
    explanation: 'Only the first 200 problems of a file are shown, errors before warnings.',
    example: 'tasks: {? , ? , ? , … }',
    message: ({ count }) =>
      `The file has ${counted(count, 'further problem')} that ${count === 1 ? 'is' : 'are'} not shown.`,
    remedy: () => 'Correct those that are shown; the rest follows.',
  }),
  'empty-file': define<Record<string, never>>({
    severity: 'error',
    explanation: 'A file without content names no project.',
    example: '# nothing yet\n',
    message: () => 'The file is empty.',
    remedy: () =>
      `Write at least a name and a task, such as ${shown('projectname: spam')} and ${shown('tasks: {train: python train.py}')}.`,
  }),
};
