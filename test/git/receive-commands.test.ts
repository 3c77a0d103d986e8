import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createByteReader } from '../../src/git/byte-reader.ts';
import { encodePkt, flushPkt } from '../../src/git/pkt-line.ts';
import { parseReceiveCommands } from '../../src/git/receive-commands.ts';
import { cuts, pieces } from './pieces.ts';

const zero = '0'.repeat(40);
const [one, two] = ['1'.repeat(40), '2'.repeat(40)];

describe('what a push asks for', () => {
  const capabilities = 'report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5';

  test('is read, and the pack stays, however it is cut', async () => {
    const lines = [
      encodePkt(`shallow ${one}\n`),
      encodePkt(`${zero} ${one} refs/heads/a b\0 ${capabilities}`),
      encodePkt(`${one} ${two} refs/heads/grün\n`),
      flushPkt,
    ];
    const pack = Buffer.from('PACK0000');
    const property = fc.asyncProperty(cuts, async (at) => {
      const reader = createByteReader(pieces(Buffer.concat([...lines, pack]), at));
      const request = await parseReceiveCommands(reader);
      expect(request.commands).toEqual([
        { ref: 'refs/heads/a b', before: zero, after: one },
        { ref: 'refs/heads/grün', before: one, after: two },
      ]);
      expect([...request.capabilities]).toEqual(capabilities.split(' '));
      expect(Buffer.from(request.bytes)).toEqual(Buffer.concat(lines));
      expect(Buffer.concat(await Array.fromAsync(reader.rest()))).toEqual(pack);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test('options are read where the client says that it has some', async () => {
    const bytes = Buffer.concat([
      encodePkt(`${zero} ${one} refs/heads/a\0push-options`),
      flushPkt,
      encodePkt('ci.skip\n'),
      encodePkt('x=1'),
      flushPkt,
    ]);
    const request = await parseReceiveCommands(createByteReader(pieces(bytes, [])));
    expect(request.pushOptions).toEqual(['ci.skip', 'x=1']);
    expect(Buffer.from(request.bytes)).toEqual(bytes);
  });

  test.each([
    { what: 'no flush', bytes: encodePkt(`${zero} ${one} refs/heads/a`), error: /not complete/ },
    { what: 'short ids', bytes: encodePkt('12 34 refs/heads/a'), error: /<before> <after> <ref>/ },
    { what: 'no ref', bytes: encodePkt(`${zero} ${one} `), error: /<before> <after> <ref>/ },
    { what: 'a certificate', bytes: encodePkt('push-cert\0x'), error: /<before> <after> <ref>/ },
    {
      what: 'another alphabet',
      bytes: encodePkt(Buffer.from(`${zero} ${one} refs/\xff`, 'latin1')),
      error: /UTF-8/,
    },
    { what: 'another section', bytes: Buffer.from('0001'), error: /not complete/ },
  ])('$what is refused', async ({ bytes, error }) => {
    const whole = error.source === 'not complete' ? bytes : Buffer.concat([bytes, flushPkt]);
    await expect(parseReceiveCommands(createByteReader(pieces(whole, [])))).rejects.toThrow(error);
  });

  test('more than 4 MiB of refs are not read to the end', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 1;
        yield encodePkt(`${zero} ${one} refs/heads/${'x'.repeat(60_000)}`);
      }
    }
    await expect(parseReceiveCommands(createByteReader(endless()))).rejects.toThrow('too many refs');
    expect(sent).toBeLessThan(100);
  });
});
