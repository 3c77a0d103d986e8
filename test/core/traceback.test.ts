import { describe, expect, test } from 'vitest';
import { findTracebacks, pathsInRepository, tracebackAnnotation } from '../../src/core/check/traceback.ts';

const plain = `starting
Traceback (most recent call last):
  File "/data/attempts/7/workspace/train.py", line 12, in <module>
    main()
    ~~~~^^
  File "/usr/lib/python3.13/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
ValueError: could not convert
done
`;

const group = `  + Exception Group Traceback (most recent call last):
  |   File "g.py", line 13, in <module>
  |     main()
  |   File "g.py", line 11, in main
  |     raise ExceptionGroup("outer", [mk(f), mk(sub), mk(lambda: 1/0)])
  | ExceptionGroup: outer (3 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "g.py", line 7, in mk
    |     g()
    |   File "g.py", line 2, in f
    |     raise ValueError("a\\nb")
    | ValueError: a
b
    +---------------- 2 ----------------
    | Exception Group Traceback (most recent call last):
    |   File "g.py", line 4, in sub
    |     raise ExceptionGroup("inner", [KeyError("k"), mk(f)])
    | ExceptionGroup: inner (2 sub-exceptions)
    +-+---------------- 1 ----------------
      | KeyError: 'k'
      +---------------- 2 ----------------
      | Traceback (most recent call last):
      |   File "g.py", line 5, in f
      |     raise ValueError("deep")
      | ValueError: deep
      +------------------------------------
    +---------------- 3 ----------------
    | Traceback (most recent call last):
    |   File "g.py", line 11, in <lambda>
    |     raise ExceptionGroup("outer", [mk(f), mk(sub), mk(lambda: 1/0)])
    |                                                               ~^~
    | ZeroDivisionError: division by zero
    +------------------------------------

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "g.py", line 15, in <module>
    raise RuntimeError("after") from e
RuntimeError: after
`;

describe('findTracebacks', () => {
  test('frames and the exception', () => {
    expect(findTracebacks(plain).found).toEqual([
      {
        frames: [
          { path: '/data/attempts/7/workspace/train.py', line: 12 },
          { path: '/usr/lib/python3.13/json/__init__.py', line: 346 },
        ],
        message: 'ValueError: could not convert\ndone',
      },
    ]);
  });

  test('one that caused another is a traceback of its own', () => {
    const text = `Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise RuntimeError("no")
RuntimeError: no
`;
    expect(findTracebacks(text).found.map(({ message }) => message)).toEqual([
      "KeyError: 'x'",
      'RuntimeError: no',
    ]);
  });

  test('a syntax error, whose place is the last frame', () => {
    const text = `  File "lone.py", line 9
Traceback (most recent call last):
  File "main.py", line 1, in <module>
    import broken
  File "broken.py", line 3
    def (:
        ^
SyntaxError: invalid syntax
`;
    expect(findTracebacks(text).found).toMatchObject([
      {
        frames: [
          { path: 'main.py', line: 1 },
          { path: 'broken.py', line: 3 },
        ],
        message: 'SyntaxError: invalid syntax',
      },
    ]);
  });

  test.each([
    ['SyntaxError', '    def (:\n        ^\n', 'invalid syntax'],
    [
      'IndentationError',
      '    x = 1\n    ^\n',
      'expected an indented block after function definition on line 1',
    ],
    ['TabError', '    y=2\n', 'inconsistent use of tabs and spaces in indentation'],
    ['SyntaxError', '', 'without its line'],
  ])('a %s of the script itself has no header', (kind, source, said) => {
    const text = `before\n  File "lone.py", line 9\n  File "s.py", line 2\n${source}${kind}: ${said}\n`;
    expect(findTracebacks(text.replaceAll('\n', '\r\n')).found).toEqual([
      { frames: [{ path: 's.py', line: 2 }], message: `${kind}: ${said}` },
    ]);
  });

  test('a group of exceptions and each that it holds, and what comes after it', () => {
    expect(findTracebacks(group).found.map(({ frames, message }) => [frames.at(-1)?.line, message])).toEqual([
      [11, 'ExceptionGroup: outer (3 sub-exceptions)'],
      [2, 'ValueError: a\nb'],
      [4, 'ExceptionGroup: inner (2 sub-exceptions)'],
      [5, 'ValueError: deep'],
      [11, 'ZeroDivisionError: division by zero'],
      [15, 'RuntimeError: after'],
    ]);
  });

  test('a line of source that looks like the margin of a group is none outside of one', () => {
    const text =
      'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    | other\nTypeError: no | here\n';
    expect(findTracebacks(text).found).toMatchObject([{ message: 'TypeError: no | here' }]);
  });

  test.each([
    ['a place and an exception of another kind', '  File "a.py", line 1\n    x\nKeyError: 1\n'],
    ['nothing', ''],
    ['cut off before the exception', 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n'],
    ['without a frame', 'Traceback (most recent call last):\nKeyError\n'],
    ['frames alone', '  File "a.py", line 1, in f\nKeyError\n'],
  ])('%s is none', (_, text) => {
    expect(findTracebacks(text).found).toEqual([]);
  });

  test('of very many the last ones, and of a recursion a thousand frames', () => {
    const one = (at: number): string =>
      `Traceback (most recent call last):\n${`  File "a.py", line ${at}, in f\n`.repeat(2_000)}E${at}: x\n\n`;
    const { found, leftOut } = findTracebacks(Array.from({ length: 30 }, (_, at) => one(at + 1)).join(''));
    expect(found.map(({ message }) => message)).toEqual(
      Array.from({ length: 10 }, (_, at) => `E${at + 21}: x`),
    );
    expect(leftOut).toBe(20);
    expect(found[0]?.frames).toHaveLength(1_000);
  });
});

test.each([
  ['train.py', ['train.py']],
  ['./src/train.py', ['src/train.py']],
  ['/srv/attempts/3/workspace/src/train.py', ['src/train.py']],
  ['/workspace/train.py', ['train.py']],
  [
    '/home/workspace/ame/attempts/3/workspace/workspace/a.py',
    ['ame/attempts/3/workspace/workspace/a.py', 'workspace/a.py', 'a.py'],
  ],
  ['/usr/lib/python3/json/__init__.py', []],
  ['../other.py', []],
  ['/workspace/../etc/passwd', []],
  ['<string>', ['<string>']],
])('%s may be called %j', (path, names) => {
  expect(pathsInRepository(path)).toEqual(names);
});

test('an annotation names the task and cannot play tricks', () => {
  const [traceback] = findTracebacks(
    'Traceback (most recent call last):\n  File "a.py", line 1\nE: \u202Eevil\u0007\n',
  ).found;
  if (!traceback) throw new Error('none was found');
  expect(tracebackAnnotation('train', { path: 'a.py', line: 1 }, traceback)).toMatchObject({
    path: 'a.py',
    line: 1,
    level: 'failure',
    title: expect.stringMatching(/^train: E: /),
    message: expect.not.stringMatching(/[\u202E\u0007]/),
  });
});
