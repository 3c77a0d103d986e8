import { createByteReader, type ByteReader } from './byte-reader.ts';
import { encodePkt, flushPkt, PktError, readPkt, type Pkt } from './pkt-line.ts';
import { terminalText } from './terminal-text.ts';

/** What became of one ref of a push; `reason` says why it was refused, `null` that it was done. */
export type RefOutcome = { readonly ref: string; readonly reason: string | null };

/** `unpack` is `ok`, or why the pack could not be stored. */
export type PushReport = { readonly unpack: string; readonly refs: readonly RefOutcome[] };

/** The report as a client expects it, its own flush included. Both versions of the format read alike here. */
export function encodeReport(report: PushReport): Buffer {
  return Buffer.concat([
    encodePkt(`unpack ${terminalText(report.unpack)}\n`),
    ...report.refs.map(({ ref, reason }) =>
      encodePkt(reason === null ? `ok ${ref}\n` : `ng ${ref} ${terminalText(reason)}\n`),
    ),
    flushPkt,
  ]);
}

/**
 * Reads git's report; `null` where there is none, or where it breaks off, which says nothing for sure. The `option` lines of version 2 come only from a
 * proc-receive hook, and hooks never run here.
 */
export async function parseReport(bytes: Uint8Array): Promise<PushReport | null> {
  const reader = createByteReader(once(bytes));
  const refs: RefOutcome[] = [];
  let unpack: string | null = null;
  for (;;) {
    const pkt = await readOrBroken(reader);
    if (pkt === 'broken') return null;
    if (pkt?.type !== 'data') break;
    const line = pkt.data.toString('utf8').trimEnd();
    const [word = '', ...rest] = line.split(' ');
    if (word === 'unpack') unpack = rest.join(' ');
    // Names of refs hold no spaces; git refuses them.
    if (word === 'ok') refs.push({ ref: rest.join(' '), reason: null });
    if (word === 'ng') refs.push({ ref: rest[0] ?? '', reason: rest.slice(1).join(' ') });
  }
  return unpack === null ? null : { unpack, refs };
}

async function readOrBroken(reader: ByteReader): Promise<Pkt | 'broken' | null> {
  try {
    return await readPkt(reader);
  } catch (error) {
    if (error instanceof PktError) return 'broken';
    throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
