import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createByteReader } from '../../src/git/byte-reader.ts';
import { encodeBand, encodePkt, flushPkt, pktLimit, readPkt, type Pkt } from '../../src/git/pkt-line.ts';
import { cuts, pieces } from './pieces.ts';

async function pkts(bytes: Uint8Array, at: readonly number[] = []): Promise<Pkt[]> {
  const reader = createByteReader(pieces(bytes, at));
  const found: Pkt[] = [];
  for (let pkt = await readPkt(reader); pkt !== null; pkt = await readPkt(reader)) found.push(pkt);
  return found;
}

describe('lines of the protocol', () => {
  test('are read as they were written, however they are cut', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 })),
      cuts,
      async (datas, at) => {
        const bytes = Buffer.concat([...datas.map((data) => encodePkt(data)), flushPkt]);
        const read = await pkts(bytes, at);
        expect(read.pop()).toEqual({ type: 'flush' });
        expect(read).toEqual(datas.map((data) => ({ type: 'data', data: Buffer.from(data) })));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  test.each(['000', '0005', 'zzzz', '0003', 'ffff', '-001', '0x10', '0010hello'])(
    '%j is none',
    async (text) => {
      await expect(pkts(Buffer.from(text))).rejects.toMatchObject({ name: 'PktError' });
    },
  );

  test('long content becomes several lines of its band', async () => {
    const content = Buffer.alloc(pktLimit * 2, 'x');
    const read = await pkts(encodeBand(1, content));
    const bands = read.map((pkt) => (pkt.type === 'data' ? pkt.data : Buffer.alloc(0)));
    expect(bands.map((band) => band[0])).toEqual([1, 1, 1]);
    expect(Buffer.concat(bands.map((band) => band.subarray(1))).equals(content)).toBe(true);
    expect(() => encodePkt(Buffer.alloc(pktLimit + 1))).toThrow('does not fit');
  });
});
