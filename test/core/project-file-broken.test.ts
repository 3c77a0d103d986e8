import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/core/problems.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { fixtures } from './project-file-fixtures.ts';

const short = ({ code, line, column }: Problem): string => `${code} ${line}:${column}`;

/** Lines of one task with what is wrong in it: code, line (from 0) and column (from 1). */
type Part = {
  readonly lines: readonly string[];
  readonly problems: readonly (readonly [string, number, number])[];
};

const planted: readonly Part[] = [
  { lines: ['  p0: {runcommand: y, zzz: 1}'], problems: [['unknown-key', 0, 23]] },
  { lines: ['  p1: {taskref: nowhere}'], problems: [['unknown-task', 0, 17]] },
  { lines: ['  p2:', '    runcommand: y', '    if: sometimes'], problems: [['bad-choice', 2, 9]] },
  { lines: ['  p3: {image: python}'], problems: [['no-command', 0, 3]] },
  {
    lines: ['  p4:', '    pipeline:', '      a: x', '      b: {needs: [nobody], runcommand: y}'],
    problems: [['unknown-task', 3, 19]],
  },
  {
    lines: ['  p5:', '    pipeline:', '      c: {needs: [d], runcommand: y}', '      d: z'],
    problems: [['cycle', 2, 19]],
  },
  {
    lines: ['  p6:', '    runcommand: y', '    resources:', '      cpu: many'],
    problems: [['bad-quantity', 3, 12]],
  },
  { lines: ['  p7: {runcommand: y, needs: [p0]}'], problems: [['needs-outside-pipeline', 0, 23]] },
];

const broken: readonly (readonly string[])[] = [
  ['  v: {runcommand: y'],
  ['  v: {runcommand: y, env: {A: b}'],
  ['  v: {runcommand: [x, y}'],
  ['  v: {', '    runcommand: x,', '    timeout: 1h'],
  ['  v: [x, y'],
  ['  v: "x'],
  ["  v: 'x"],
  ['  v: - x'],
  ['  v: | x', '    y'],
  ['  v: {runcommand: x,, timeout: 1h}'],
  ['  v: {runcommand: x}}'],
  ['  v', '    runcommand: x'],
  ['  v:', '    runcommand: x', '    timeout'],
  ['  v:', '    runcommand: x', '   timeout: 1h'],
  ['  v:', '    runcommand: "x', '    timeout: 1h'],
  ['  v:', '    pipeline:', '      a: {needs: [], runcommand: x', '      b: x'],
  ['  v:', '    pipeline:', '      a: x', '      b: [y', '      c: {needs: [a], runcommand: z}'],
  ['  v:', '  \truncommand: x'],
  ['  v:', '    runcommand: */5'],
  ['  v: "a" b'],
  ['  \tv: x'],
  ['\tv:', '\t  runcommand: x'],
];

describe('a mistake of syntax hides nothing that stands elsewhere', () => {
  test('among tasks', () => {
    const parts = fc.shuffledSubarray([...planted], { minLength: 1 });
    fc.assert(
      fc.property(parts, fc.constantFrom(...broken), fc.nat(8), (around, fault, place) => {
        const at = Math.min(place, around.length);
        const all = [...around.slice(0, at), { lines: fault, problems: [] }, ...around.slice(at)];
        const lines = ['projectname: spam', 'tasks:'];
        const wanted: string[] = [];
        let faultLine = 0;
        for (const part of all) {
          if (part.lines === fault) faultLine = lines.length + 1;
          for (const [code, line, column] of part.problems)
            wanted.push(`${code} ${lines.length + line + 1}:${column}`);
          lines.push(...part.lines);
        }
        const { problems, project } = parseProjectFile(`${lines.join('\n')}\n`);
        const isFault = ({ line }: Problem): boolean => line >= faultLine && line < faultLine + fault.length;
        expect(problems.filter((one) => !isFault(one)).map(short)).toEqual(wanted);
        expect(problems.some(isFault)).toBe(true);
        expect(project).toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  // Whatever stands in a bracket that was opened by mistake, the keys at both ends of the file are seen.
  const syntax =
    /^(?:unclosed|yaml-syntax|needs-quotes|missing-colon|bad-escape|custom-tag|bad-indentation|ambiguous-indentation|tab-indentation|unknown-key)$/u;
  const texts = fixtures('valid')
    .filter(({ name }) => name !== 'document-markers' && !name.includes('crlf'))
    .map(({ name, content }) => ({ name, lines: new TextDecoder().decode(content).trimEnd().split('\n') }));

  test('in any value of a good file', () => {
    const places = texts.flatMap(({ name, lines }) =>
      lines.flatMap((line, index) =>
        /^\s*[\w-]+:\s+[^\s|>&*!]/u.test(line) ? [{ name, lines, index }] : [],
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.constantFrom('[', '{', '"', "'", '- ', '| '),
        ({ lines, index }, sign) => {
          const spoilt = lines.map((line, at) =>
            at === index ? line.replace(/:\s+/u, (found) => found + sign) : line,
          );
          const text = ['yyy: 1', ...spoilt, 'zzz: 1', ''].join('\n');
          const { problems } = parseProjectFile(text);
          // A quote inside a text that is open to the next line is no mistake of syntax.
          if (!problems.some(({ code }) => syntax.test(code) && code !== 'unknown-key')) return;
          expect(problems.filter(({ code }) => code === 'unknown-key').map(({ line }) => line)).toEqual([
            1,
            lines.length + 2,
          ]);
          expect(
            problems.filter(({ code, severity }) => severity === 'error' && !syntax.test(code)).map(short),
          ).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
