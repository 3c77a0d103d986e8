import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Check, CheckAnnotation } from '../../src/core/check.ts';
import { checkBody, chunkAnnotations, fitBytes } from '../../src/github/check-body.ts';

const says: Check = {
  name: 'ame / train',
  status: 'completed',
  conclusion: 'success',
  title: 'Succeeded',
  summary: 'All well',
  text: '',
  annotations: [],
  lines: [],
  externalId: 'run:1',
  url: 'https://ame.example/runs/1',
};
const note = (line: number, column: number | null = 1): CheckAnnotation => ({
  path: 'ame.yaml',
  line,
  column,
  level: 'failure',
  title: 'a title',
  message: 'a message',
});
const notes = (count: number): readonly CheckAnnotation[] =>
  Array.from({ length: count }, (_, at) => note(at + 1));

test('a check in the words of GitHub', () => {
  const cancel = { label: 'Cancel', description: 'Ends the run', identifier: 'cancel' };
  const body = checkBody({ ...says, actions: [cancel] }, [note(3, 5), note(4, null)]);
  expect(body).toEqual({
    name: 'ame / train',
    external_id: 'run:1',
    details_url: 'https://ame.example/runs/1',
    status: 'completed',
    conclusion: 'success',
    output: {
      title: 'Succeeded',
      summary: 'All well',
      text: '',
      annotations: [
        {
          path: 'ame.yaml',
          start_line: 3,
          end_line: 3,
          start_column: 5,
          end_column: 5,
          annotation_level: 'failure',
          title: 'a title',
          message: 'a message',
        },
        {
          path: 'ame.yaml',
          start_line: 4,
          end_line: 4,
          annotation_level: 'failure',
          title: 'a title',
          message: 'a message',
        },
      ],
    },
    actions: [cancel],
  });
});

test('a conclusion is said only of what is completed, and then always', () => {
  expect(checkBody({ ...says, status: 'in_progress', conclusion: null }, [])).not.toHaveProperty(
    'conclusion',
  );
  expect(checkBody({ ...says, conclusion: null }, [])).toHaveProperty('conclusion', 'neutral');
  expect(checkBody({ ...says, url: null }, [])).not.toHaveProperty('details_url');
  expect(checkBody({ ...says, summary: '' }, [])).toHaveProperty('output.summary', 'Succeeded');
});

test('buttons stay within their limits', () => {
  const action = { label: 'é'.repeat(30), description: '😀'.repeat(30), identifier: 'x' };
  const { actions } = checkBody({ ...says, actions: Array.from({ length: 5 }, () => action) }, []);
  expect(actions).toHaveLength(3);
  for (const { label, description } of actions) {
    expect(label).toHaveLength(20);
    expect(description.length).toBeLessThanOrEqual(40);
    expect(description.isWellFormed()).toBe(true);
  }
});

test.each([
  [0, []],
  [1, [1]],
  [49, [49]],
  [50, [50]],
  [51, [50, 1]],
  [1000, Array.from({ length: 20 }, () => 50)],
])('%i annotations go in requests of %j', (count, sizes) => {
  const chunks = chunkAnnotations(notes(count));
  expect(chunks.map(({ length }) => length)).toEqual(sizes);
  expect(chunks.flat()).toEqual(notes(count));
});

test('more annotations than one request may carry are refused before they are sent', () => {
  expect(() => checkBody(says, notes(51))).toThrow(RangeError);
});

test.each(['a', 'é', '…', '😀', 'a😀é'])('text of %j is cut at 65,535 bytes between characters', (unit) => {
  const size = Buffer.byteLength(unit);
  const text = unit.repeat(Math.ceil(70_000 / size));
  const { summary, text: body } = checkBody({ ...says, summary: text, text }, []).output;
  expect(summary).toBe(body);
  expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(65_535);
  expect(Buffer.byteLength(summary)).toBeGreaterThan(65_535 - 7);
  expect(summary).not.toContain('\ufffd');
  expect(summary.endsWith('…')).toBe(true);
});

test.each([65_534, 65_535])('text of %i bytes stays whole', (length) => {
  expect(checkBody({ ...says, text: 'x'.repeat(length) }, []).output.text).toHaveLength(length);
});

test('text of any kind fits and stays text', () => {
  const piece = fc.constantFrom('a', '\n', 'é', '…', '😀', '\u0000', '\ud800', '\udc00', '👩‍🚀');
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 3, max: 80 }), (text, most) => {
      const fitted = fitBytes(text, most);
      expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(most);
      expect(fitted.isWellFormed()).toBe(true);
      if (Buffer.byteLength(text.toWellFormed()) <= most) expect(fitted).toBe(text.toWellFormed());
      else expect(text.toWellFormed().startsWith(fitted.slice(0, -1))).toBe(true);
    }),
  );
});
