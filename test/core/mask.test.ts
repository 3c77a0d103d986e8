import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMasker } from '../../src/core/mask.ts';
import { secretForms } from '../../src/core/mask/secret-forms.ts';

const utf8 = new TextEncoder();

/** Masks the pieces one after the other and answers with what came out. */
function mask(secrets: readonly string[], ...pieces: readonly (string | Uint8Array)[]): string {
  const masker = createMasker(secrets);
  const out = pieces.map((piece) =>
    Buffer.from(masker.push(typeof piece === 'string' ? utf8.encode(piece) : piece)),
  );
  return Buffer.concat([...out, Buffer.from(masker.end())]).toString('latin1');
}

describe('spellings', () => {
  const secret = `p@ss "wö'rd"\t<a&b>/$x\`\\`;
  const bytes = Buffer.from(secret);
  const prefixed = (length: number): string =>
    Buffer.concat([Buffer.alloc(length, 'x'), bytes]).toString('base64');
  const spellings: readonly (readonly [string, string])[] = [
    ['as it is', secret],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['base64 after one byte', prefixed(1)],
    ['base64 after two bytes', prefixed(2)],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['encodeURIComponent', encodeURIComponent(secret)],
    ['URLSearchParams', new URLSearchParams({ a: secret }).toString().slice(2)],
    [
      'lower-case percent escapes',
      encodeURIComponent(secret).replaceAll(/%../g, (escape) => escape.toLowerCase()),
    ],
    ['JSON', JSON.stringify(secret)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(secret))],
    ['JSON in ASCII', JSON.stringify(secret).replaceAll('ö', '\\u00f6')],
    ['single quotes of a shell', `'${secret.replaceAll("'", "'\\''")}'`],
    ['double quotes of a shell', `"${secret.replaceAll(/["\\$`]/g, '\\$&')}"`],
    [
      'HTML',
      secret
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;'),
    ],
  ];

  test.each(spellings)('%s', (_, spelling) => {
    const masked = mask([secret], `before ${spelling} after`);
    expect(masked).toMatch(/^before .{0,6}\*\*\*.{0,4} after$/);
    for (const form of secretForms(secret))
      expect(masked).not.toContain(Buffer.from(form).toString('latin1'));
  });

  test('base64 that ends with the secret is hidden to its last padding', () => {
    expect(mask(['hunter22'], Buffer.from('hunter22').toString('base64'))).toBe('***');
    expect(mask(['hunter22'], Buffer.from('hunter22').toString('base64url'))).toBe('***');
    expect(mask(['hunter22'], Buffer.from('joe:hunter22').toString('base64'))).toMatch(/^[\w+/]{5,6}\*\*\*$/);
  });

  test('base64 with broken lines', () => {
    const long = 'correct horse battery staple '.repeat(5);
    const encoded = Buffer.from(long).toString('base64');
    for (const width of [64, 76]) {
      expect(mask([long], encoded.replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\n'))).toMatch(/^\*\*\*\n?$/);
    }
  });
});

test('a secret of many lines: the whole value, and each line that has 6 characters', () => {
  const key = '-----BEGIN KEY-----\nabcdefgh\n  indented value\nshort\n-----END KEY-----\n';
  expect(mask([key], `key:\n${key}end\n`)).toBe('key:\n***\nend\n');
  expect(mask([key], 'abcdefgh\r\nindented value short -----END KEY-----')).toBe('***\r\n*** short ***');
});

test('overlapping secrets are hidden together', () => {
  expect(mask(['abcdef', 'defghi'], 'xabcdefghix')).toBe('x***x');
  expect(mask(['abcdef', 'abcdefghi'], 'abcdefghi abcdefg')).toBe('*** ***g');
  expect(mask(['aaaaaa'], 'aaaaaaaaaaa')).toBe('***');
});

test('only what may be the beginning of a secret is held back', () => {
  const masker = createMasker(['hunter22']);
  const push = (text: string): string => Buffer.from(masker.push(utf8.encode(text))).toString();
  expect(push('password? ')).toBe('password? ');
  expect(push('is hunt')).toBe('is ');
  expect(push('er21, hun')).toBe('hunter21, ');
  expect(push('ter22')).toBe('***');
  expect(push('!')).toBe('!');
});

test('bytes that are not UTF-8 and NUL bytes come through', () => {
  const bytes = Uint8Array.from({ length: 512 }, (_, index) => index & 255);
  expect(mask(['hunter22'], bytes)).toBe(Buffer.from(bytes).toString('latin1'));
  expect(mask([], bytes)).toBe(Buffer.from(bytes).toString('latin1'));
});

// Few letters, so that prefixes, suffixes and overlaps are frequent.
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 9 });
const secretsOfLetters = fc.array(letters, { minLength: 1, maxLength: 4 });

/** The same rule, written naively: every position that a spelling covers, joined where spellings overlap. */
function maskNaively(secrets: readonly string[], text: string): string {
  const forms = secrets.flatMap((secret) => [...secretForms(secret)]);
  const spans: { start: number; end: number }[] = [];
  for (let start = 0; start < text.length; start += 1) {
    const end =
      start + Math.max(0, ...forms.filter((form) => text.startsWith(form, start)).map((form) => form.length));
    const last = spans.at(-1);
    if (end === start) continue;
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end);
    else spans.push({ start, end });
  }
  return spans.reduceRight(
    (result, { start, end }) => `${result.slice(0, start)}***${result.slice(end)}`,
    text,
  );
}

test('equals the naive rule however the stream is cut', () => {
  fc.assert(
    fc.property(secretsOfLetters, fc.array(letters, { maxLength: 12 }), (secrets, pieces) => {
      expect(mask(secrets, ...pieces)).toBe(maskNaively(secrets, pieces.join('')));
    }),
    { numRuns: 2_000 },
  );
});

test('equals the naive rule where most of the stream is skipped', () => {
  const long = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 24 });
  fc.assert(
    fc.property(
      fc.array(long, { minLength: 1, maxLength: 4 }),
      fc.array(fc.oneof(long, fc.string({ unit: fc.constantFrom('a', 'x', 'y'), maxLength: 30 })), {
        maxLength: 8,
      }),
      fc.context(),
      (secrets, others, context) => {
        // Whole secrets among text that looks like their beginnings.
        const pieces = [...others, ...secrets].toSorted();
        context.log(pieces.join('|'));
        expect(mask(secrets, ...pieces)).toBe(maskNaively(secrets, pieces.join('')));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('no spelling of a secret survives in any text, and text without secrets is unchanged', () => {
  const secret = fc
    .string({ unit: 'grapheme', minLength: 6, maxLength: 20 })
    .filter((text) => !/[*\r\n]/.test(text) && text.length < 40);
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.nat()),
      fc.string(),
      (secrets, nats, text) => {
        const random = (below: number): number => (nats.next().value ?? 0) % below;
        const forms = secrets.flatMap((value) => [...secretForms(value)]);
        const whole = utf8.encode(
          Array.from({ length: 6 }, () => text + (forms[random(forms.length)] ?? '')).join(''),
        );
        const cut = random(whole.length + 1);
        const masked = mask(secrets, whole.subarray(0, cut), whole.subarray(cut));
        for (const form of forms) expect(masked).not.toContain(Buffer.from(form).toString('latin1'));
        const innocent = forms.some((form) => text.includes(form)) ? '' : text;
        expect(mask(secrets, innocent)).toBe(Buffer.from(innocent).toString('latin1'));
      },
    ),
    { numRuns: 150 },
  );
});

test('a long stream against a secret built to defeat it takes linear work', () => {
  // Each position holds almost the whole secret back; a quadratic masker would need hours.
  const secret = `${'a'.repeat(4_000)}b`;
  const masker = createMasker([secret]);
  const chunk = new Uint8Array(64 * 1024).fill(97);
  let length = 0;
  for (let count = 0; count < 64; count += 1) length += masker.push(chunk).length;
  expect(length + masker.end().length).toBe(64 * chunk.length);
});
