import { counted, quoted, shorten, shown } from './wording.ts';
import { define } from './definition.ts';

/** Text that is not YAML, or YAML that AME does not take. */
export const syntaxProblems = {
  'yaml-syntax': define<{ what: string; write: string }>({
    severity: 'error',
    explanation: 'The text is not YAML at this place, for a reason that has no code of its own.',
    example: 'projectname: spam\ntasks:\n  train: - python train.py\n',
    message: ({ what }) => what,
    remedy: ({ write }) => write,
  }),
  'bad-indentation': define<{ column: number; columns: readonly number[]; continues: string | null }>({
    severity: 'error',
    explanation:
      'The line stands beside no line of the block that it is in, so it cannot be told where it belongs.',
    example: 'projectname: spam\ntasks: python train.py\n  test: python test.py\n',
    message: ({ column, continues }) =>
      continues === null
        ? `The line begins at column ${column}, where no block begins.`
        : `The line is indented deeper than the one above, so YAML joins it to the text ${shown(continues)}.`,
    remedy: ({ columns, continues }) =>
      `Begin it at column ${columns.join(' or ')}, beside the lines that it belongs to` +
      (continues === null ? '.' : '; or, if it is meant to go on, put quotes around all of the text.'),
  }),
  'ambiguous-indentation': define<{ column: number; columns: readonly number[] }>({
    severity: 'error',
    explanation:
      'Two ways to move the line are equally near and both make the file valid, so AME does not guess.',
    example: 'projectname: spam\ntasks:\n  train:\n    runcommand: python train.py\n   if: always\n',
    message: ({ column, columns }) =>
      `The line begins at column ${column}; at column ${columns.join(' and at column ')} it would mean different things.`,
    remedy: ({ columns }) => `Begin it at column ${columns.join(' or at column ')}, whichever is meant.`,
  }),
  'moved-line': define<{ column: number; to: number; beside: string | null; besideLine: number | null }>({
    severity: 'warning',
    explanation:
      'The file is broken in indentation only and could mean one thing, so it was read as if the line stood there.',
    example: 'projectname: spam\ntasks:\n  train: python train.py\n   test: python test.py\n',
    message: ({ column, to, beside, besideLine }) =>
      `The line begins at column ${column}; it was read as if it began at column ${to}` +
      (beside === null
        ? '.'
        : `, beside ${shown(beside)}${besideLine === null ? '' : ` of line ${besideLine}`}.`),
    remedy: ({ column, to }) =>
      column > to
        ? `Take away ${counted(column - to, 'space')} at its beginning.`
        : `Put ${counted(to - column, 'space')} more at its beginning.`,
  }),
  'tab-indentation': define<{ more: number }>({
    severity: 'error',
    explanation: 'YAML counts spaces; a tab has no width that all readers agree on.',
    example: 'projectname: spam\ntasks:\n\ttrain: python train.py\n',
    message: ({ more }) =>
      'The line is indented with a tab' +
      (more > 0 ? `, and so ${more === 1 ? 'is' : 'are'} ${counted(more, 'line')} below.` : '.'),
    remedy: () => 'Use spaces, two for each level; most editors convert tabs for files that end in .yaml.',
  }),
  unclosed: define<{ opening: string; closing: string }>({
    severity: 'error',
    explanation: 'A bracket or quote that is opened must be closed.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py\n',
    message: ({ opening, closing }) => `This ${shown(opening)} is never closed by ${shown(closing)}.`,
    remedy: ({ opening, closing }) =>
      opening === "'"
        ? `Add the closing ${shown(closing)}; a ' inside the text is written twice (it''s).`
        : `Add the closing ${shown(closing)}, with every line of it indented deeper than its key; or put quotes around the text if the ${shown(opening)} belongs to it.`,
  }),
  'needs-quotes': define<{ text: string; why: string }>({
    severity: 'error',
    explanation: 'Some characters mean something to YAML; text that contains them needs quotes.',
    example:
      'projectname: spam\ntasks: {main: python train.py}\nrecurring_tasks:\n  nightly:\n    taskref: main\n    schedule: */5 * * * *\n',
    message: ({ text, why }) => `${shown(text)} ${why}.`,
    remedy: ({ text }) => `Put quotes around it: ${quoted(shorten(text))}`,
  }),
  'missing-colon': define<{ text: string; corrected: string | null }>({
    severity: 'error',
    explanation: 'A key ends with a colon and a space.',
    example: 'projectname:spam\ntasks:\n  train: python train.py\n',
    message: ({ text, corrected }) =>
      corrected === null
        ? `${shown(text)} has no colon after it.`
        : `${shown(text)} has no space after its colon.`,
    remedy: ({ text, corrected }) => `Write ${shown(corrected ?? `${text}:`)}.`,
  }),
  'bad-escape': define<{ escape: string }>({
    severity: 'error',
    explanation: 'Between double quotes a backslash begins an escape, and only some exist.',
    example: 'projectname: spam\ntasks:\n  train: "grep \\d log"\n',
    message: ({ escape }) => `${shown(escape)} is no escape that YAML knows.`,
    remedy: ({ escape }) =>
      `Use single quotes, where a backslash is only a backslash, or write ${shown(`\\${escape}`)}.`,
  }),
  'multiple-documents': define<Record<string, never>>({
    severity: 'error',
    explanation: 'One file is one project.',
    example: 'projectname: spam\ntasks: {train: python train.py}\n---\nprojectname: eggs\n',
    message: () => 'A second YAML document begins here.',
    remedy: () => 'Delete this line and join both parts, or keep one of them.',
  }),
  'yaml-directive': define<{ text: string }>({
    severity: 'error',
    explanation: 'The file is YAML 1.2; directives that change how it is read are not taken.',
    example: '%YAML 1.1\n---\nprojectname: spam\ntasks: {train: python train.py}\n',
    message: ({ text }) => `The directive ${shown(text)} is not taken.`,
    remedy: () => 'Delete the line, and the `---` below it.',
  }),
  'unknown-alias': define<{ name: string; nearest: string | null }>({
    severity: 'error',
    explanation: 'An alias (`*name`) repeats a value that was marked `&name` further up.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: python train.py, resources: *large}\n',
    message: ({ name }) => `Nothing above is marked ${shown(`&${name}`)}.`,
    remedy: ({ name, nearest }) =>
      nearest === null
        ? `Mark the value with ${shown(`&${name}`)} above, or put quotes around ${shown(`*${name}`)} if it is text.`
        : `Write ${shown(`*${nearest}`)}, or put quotes around ${shown(`*${name}`)} if it is text.`,
  }),
  'custom-tag': define<{ tag: string }>({
    severity: 'error',
    explanation: 'Tags (`!name`) change what a value is; ame.yaml has none.',
    example: 'projectname: spam\ntasks:\n  train: !python train.py\n',
    message: ({ tag }) => `The tag ${shown(tag)} means nothing here.`,
    remedy: () => 'Delete it, or put quotes around the value if the exclamation mark belongs to the text.',
  }),
  'merge-key': define<Record<string, never>>({
    severity: 'error',
    explanation: 'YAML 1.2 has no merge keys.',
    example:
      'projectname: spam\nx-small: &small {cpu: 1}\ntasks:\n  train:\n    runcommand: python train.py\n    resources: {<<: *small, memory: 1Gi}\n',
    message: () => '`<<` (a merge key) is not read.',
    remedy: () => 'Write the keys out, or use an alias for the whole value, as in `resources: *small`.',
  }),
  'duplicate-key': define<{ key: string; line: number }>({
    severity: 'error',
    explanation: 'A key may stand once in a map; which one is meant cannot be told.',
    example: 'projectname: spam\ntasks:\n  train: python train.py\n  train: python test.py\n',
    message: ({ key, line }) => `${shown(key)} is already written in line ${line}.`,
    remedy: () => 'Keep one of the two, or give this one another name.',
  }),
  'key-not-text': define<{ found: string }>({
    severity: 'error',
    explanation: 'A key is a name; a list, a map or nothing at all cannot be one.',
    example: 'projectname: spam\ntasks:\n  [train]: python train.py\n',
    message: ({ found }) => `A key must be text, and this is ${found}.`,
    remedy: () =>
      'Write a name in front of the colon, and put quotes around text that begins with `[` or `{`.',
  }),
};
