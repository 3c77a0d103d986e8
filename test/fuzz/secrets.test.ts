import { expect, test } from 'vitest';
import { createMasker, type Masker } from '../../src/core/mask.ts';
import { secretForms } from '../../src/core/mask/secret-forms.ts';
import { runLane } from './lane.ts';
import type { Random } from '../random.ts';
import { filler, spellings } from './spellings.ts';

const alphabets = [
  'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  'ab',
  '0123456789abcdef',
  `p@ss "wö'rd"<a&b>/$x\`\\%+=`,
  'ключ鍵\u{1f511}é',
  'line\n\r\n of a key ',
];

function secretOf(random: Random): string {
  const letters = Array.from(random.pick(alphabets));
  const secret = Array.from({ length: 6 + random.below(40) }, () => random.pick(letters)).join('');
  // What is only spaces and line ends is no secret that the API takes apart from its ends.
  return secret.trim().length < 6 ? `${secret}opensesame` : secret;
}

/** What a reader of the log could find: the whole value in any spelling that it was printed in. */
function leaks(out: string, printed: string, secret: string): boolean {
  return out.includes(printed) || out.includes(secret.trim());
}

function maskAt(masker: Masker, bytes: Uint8Array, cuts: readonly number[]): string {
  const edges = [0, ...cuts, bytes.length];
  const out = edges.slice(1).map((to, at) => Buffer.from(masker.push(bytes.slice(edges[at], to))));
  return Buffer.concat([...out, Buffer.from(masker.end())]).toString('latin1');
}

test('a secret is hidden in every spelling, wherever what is printed is cut', async () => {
  let splits = 0;
  // About 700 splits each.
  await runLane({ name: 'secrets', few: 8, all: 1_600, share: 0.15 }, (random, index) => {
    const secret = secretOf(random);
    const masker = createMasker([secret]);
    for (const [name, spell] of Object.entries(spellings)) {
      const printed = spell(secret);
      const bytes = Buffer.from(`${filler(index)} ${printed} ${filler(index + 1)}\n`);
      const whole = maskAt(masker, bytes, []);
      const told = [name, secret, printed];
      expect([told, whole.includes('***')]).toEqual([told, true]);
      expect([
        told,
        leaks(whole, Buffer.from(printed).toString('latin1'), Buffer.from(secret).toString('latin1')),
      ]).toEqual([told, false]);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const second = cut + random.below(bytes.length - cut);
        splits += 1;
        if (maskAt(masker, bytes, [cut, second]) !== whole)
          throw new Error(`cut at ${cut} and ${second} it is another text: ${JSON.stringify(told)}`);
      }
    }
  });
  if (process.env['AME_FUZZ'] === 'all') console.log(`secrets: ${splits} splits`);
});

test('text that is no secret comes through unchanged, however near to one it is', async () => {
  await runLane({ name: 'no secrets', few: 300, all: 100_000, share: 0.05 }, (random, index) => {
    const secret = secretOf(random);
    const printed = random.pick(Object.values(spellings))(secret);
    const letters = Array.from(printed);
    const at = random.below(letters.length);
    const near = random.chance(0.5) ? letters.toSpliced(at, 1) : letters.toSpliced(at, 1, '~');
    const text = `${filler(index)} ${near.join('')} ${filler(index + 1)}`;
    // Where a line of it, or the rest of a spelling, is a secret of its own, it is rightly hidden.
    if ([...secretForms(secret)].some((form) => text.includes(form))) return;
    const bytes = Buffer.from(text);
    expect(maskAt(createMasker([secret]), bytes, [random.below(bytes.length)])).toBe(
      bytes.toString('latin1'),
    );
  });
});
