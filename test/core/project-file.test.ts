import { describe, expect, test } from 'vitest';
import { problemCatalogue } from '../../src/core/problems.ts';
import type { Problem, ProblemCode } from '../../src/core/problems.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import type { Project, Task } from '../../src/core/project.ts';
import { allFixtures, expected, fixtures, outcome } from './project-file-fixtures.ts';

const begin = 'projectname: spam\n';

function codes(content: string | Uint8Array): readonly ProblemCode[] {
  return parseProjectFile(content).problems.map(({ code }) => code);
}

describe('fixtures', () => {
  test.each(allFixtures())('$kind/$name', (fixture) => {
    expect(outcome(parseProjectFile(fixture.content))).toEqual(expected(fixture));
  });

  test('are of the kind of their folder', () => {
    const worst = ({ content }: { content: Uint8Array }): string => {
      const { problems } = parseProjectFile(content);
      if (problems.some(({ severity }) => severity === 'error')) return 'invalid';
      return problems.length > 0 ? 'warning' : 'valid';
    };
    expect(
      allFixtures()
        .filter((fixture) => worst(fixture) !== fixture.kind)
        .map(({ name }) => name),
    ).toEqual([]);
  });

  test('are as many as the file deserves', () => {
    expect(fixtures('valid').length).toBeGreaterThanOrEqual(15);
    expect(fixtures('warning').length).toBeGreaterThanOrEqual(10);
    expect(fixtures('invalid').length).toBeGreaterThanOrEqual(60);
  });

  test('show every code of the catalogue', () => {
    // Too large for a file that people read; tested below.
    const made: readonly ProblemCode[] = ['file-too-large'];
    // Problems of the commit around the file, found where its content is at hand.
    const ofTheCommit: readonly ProblemCode[] = [
      'file-not-read',
      'file-is-link',
      'lfs-pointers',
      'lfs-attributes',
      'submodules',
    ];
    const shown = new Set(
      allFixtures().flatMap((fixture) => expected(fixture).problems.map(({ code }) => code)),
    );
    const missing = problemCatalogue.map(({ code }) => code).filter((code) => !shown.has(code));
    expect(missing).toEqual([...made, ...ofTheCommit]);
  });
});

describe('bounds', () => {
  const filler = (bytes: number): string =>
    `${begin}tasks: { a: x }\n#${'x'.repeat(bytes - begin.length - 18)}\n`;

  test('a file of 256 KiB is read, one byte more is not', () => {
    expect(codes(filler(262_144))).toEqual([]);
    expect(codes(filler(262_145))).toEqual(['file-too-large']);
    expect(codes(new TextEncoder().encode(filler(262_145)))).toEqual(['file-too-large']);
    // Bytes count, not characters.
    expect(codes(`#${'ü'.repeat(131_072)}`)).toEqual(['file-too-large']);
  });

  const nested: Readonly<Record<string, (depth: number) => string>> = {
    brackets: (depth) => `x-a: ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}\n`,
    braces: (depth) => `x-a: ${'{a: '.repeat(depth - 1)}1${'}'.repeat(depth - 1)}\n`,
    hyphens: (depth) => `x-a:\n  ${'- '.repeat(depth - 1)}a\n`,
    lines: (depth) =>
      `x-a:\n${Array.from({ length: depth - 1 }, (_, level) => `${' '.repeat(level + 1)}a:\n`).join('')}`,
    'lists at the column of their key': (depth) =>
      `x-a:\n${Array.from({ length: (depth - 1) / 2 }, (_, level) => `${'  '.repeat(level)}- a:\n`).join('')}`,
  };

  test.each(Object.entries(nested))('a depth of 64 is read, one more is not: %s', (name, make) => {
    const step = name.startsWith('lists') ? 2 : 1;
    const deepest = step === 2 ? 63 : 64;
    expect(codes(`${begin}tasks: { a: x }\n${make(deepest)}`)).toEqual([]);
    expect(codes(`${begin}tasks: { a: x }\n${make(deepest + step)}`)).toEqual(['too-deep']);
  });

  // The parser can abort the process on these, so nothing but the bound may ever see them.
  const hostile = [
    '[',
    '{',
    '- ',
    '? ',
    ': ',
    '[{',
    '{a: ',
    '[a: ',
    '- - ? ',
    '? [',
    '[? ',
    '!a [',
    '&a [',
    '{? ',
    '["a": ',
    '- a: [',
    "['a', [",
  ];
  test.each(hostile)('deep nesting of %j is refused unread', (part) => {
    for (const text of [part.repeat(2000), `a: ${part.repeat(2000)}`, part.repeat(60_000 / part.length)]) {
      expect(codes(text)).toEqual(['too-deep']);
      expect(codes(text)).toEqual(['too-deep']);
    }
  });

  test('100 aliases are read, one more is not', () => {
    const aliases = (count: number): string =>
      `${begin}tasks: { a: x }\nx-a: &a 1\nx-b: [${Array(count).fill('*a').join(', ')}]\n`;
    expect(codes(aliases(100))).toEqual([]);
    expect(codes(aliases(101))).toEqual(['too-many-aliases']);
  });

  test('at most 200 problems are listed, errors first', () => {
    const many = `${begin}tasks:\n  a:\n    runcommand: x\n    env:\n${Array.from({ length: 300 }, (_, index) => `      V${index}: 1.0\n`).join('')}    zzz: 1\n`;
    const { problems, project } = parseProjectFile(many);
    expect(project).toBeNull();
    expect(problems).toHaveLength(201);
    expect(problems.some(({ code }) => code === 'unknown-key')).toBe(true);
    expect(problems.at(-1)?.message).toContain('101 further problems');
  });
});

describe('what is read', () => {
  const project = (text: string): Project => {
    const read = parseProjectFile(text);
    expect(read.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    if (read.project === null) throw new Error('the file has no project');
    return read.project;
  };

  test('positions are those of the file, also on lines that were moved', () => {
    const { tasks } = project(
      `${begin}tasks:\n  a: x\n   b: y\n  c: {pipeline: {d: z, e: {needs: [d], runcommand: z}}}\n`,
    );
    expect(tasks.map(({ position }) => position)).toEqual([
      { line: 3, column: 3 },
      { line: 4, column: 4 },
      { line: 5, column: 3 },
    ]);
    const inner = tasks[2]?.kind === 'pipeline' ? tasks[2].tasks[1] : undefined;
    expect(inner?.needs).toEqual([{ name: 'd', position: { line: 5, column: 36 } }]);
  });

  test('a mark at the beginning of the file does not count as a column', () => {
    expect(parseProjectFile('\u{feff}projectnam: spam\n').problems[0]).toMatchObject({ line: 1, column: 1 });
  });

  test('bytes and text give the same', () => {
    for (const { content } of fixtures('valid')) {
      expect(parseProjectFile(new TextDecoder().decode(content))).toEqual(parseProjectFile(content));
    }
  });

  test('line ends do not matter', () => {
    for (const { content, name } of [...fixtures('valid'), ...fixtures('warning')]) {
      const text = new TextDecoder().decode(content);
      if (name.includes('crlf')) continue;
      expect(parseProjectFile(text.replaceAll('\n', '\r\n'))).toEqual(parseProjectFile(text));
    }
  });

  const commands: readonly (readonly [string, string])[] = [
    ['a: x', 'x'],
    ['a: [x, y]', 'x\ny'],
    ['a: {runcommand: [x, "y z"]}', 'x\ny z'],
    ['a: true', 'true'],
    ['a: "# not a comment"', '# not a comment'],
    ['a: |\n    x\n    y\n', 'x\ny\n'],
    ['a:\n    runcommand:\n      - |-\n        x\n      - y\n', 'x\ny'],
  ];
  test.each(commands)('the command of %j', (text, script) => {
    expect(project(`${begin}tasks:\n  ${text}\n`).tasks[0]).toMatchObject({ kind: 'command', script });
  });
});

describe('indentation', () => {
  const noProblem = (text: string): Omit<Problem, never>[] =>
    parseProjectFile(text).problems.filter(({ code }) => code !== 'moved-line');

  test('a file whose lines were shifted reads as it did, with a warning at each', () => {
    const lines = [
      'projectname: spam',
      'tasks:',
      '  main:',
      '    pipeline:',
      '      a:',
      '        runcommand: x',
      '      b:',
      '        runcommand: y',
      '        resources: { cpu: 1 }',
    ];
    const { project } = parseProjectFile(lines.join('\n'));
    const shifted = (line: number, by: number): string =>
      lines
        .map((text, index) =>
          index === line
            ? ' '.repeat(/^ */u.exec(text)?.[0].length ?? 0).slice(Math.max(0, -by)) +
              ' '.repeat(Math.max(0, by)) +
              text.trimStart()
            : text,
        )
        .join('\n');
    for (const line of [6, 8]) {
      for (const by of [1, -1]) {
        const read = parseProjectFile(shifted(line, by));
        expect(read.problems).toMatchObject([
          { code: 'moved-line', line: line + 1, column: (line === 6 ? 7 : 9) + by },
        ]);
        expect(read.project?.tasks.map(shape)).toEqual(project?.tasks.map(shape));
      }
    }
  });

  function shape(task: Task): unknown {
    return task.kind === 'pipeline'
      ? [task.name, task.tasks.map(shape)]
      : [task.name, task.kind === 'command' && [task.script, task.resources]];
  }

  test('a line in a text is never moved', () => {
    expect(noProblem(`${begin}tasks:\n  a: |\n    x\n      y: z\n     - w\n`)).toEqual([]);
    expect(codes(`${begin}tasks:\n  a: |\n    x\n      y: z\n     - w\n`)).toEqual([]);
  });
});
