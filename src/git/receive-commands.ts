import { isUtf8 } from 'node:buffer';
import { isObjectId } from './object-id.ts';
import type { ByteReader } from './byte-reader.ts';
import { readPkt } from './pkt-line.ts';

/** What a push asks of one ref; the zero id stands for a ref that is new or that shall go. */
export type RefCommand = { readonly ref: string; readonly before: string; readonly after: string };

/** The part of a push that comes before the pack. */
export type PushRequest = {
  readonly commands: readonly RefCommand[];
  readonly capabilities: ReadonlySet<string>;
  readonly pushOptions: readonly string[];
  /** Every byte that was read, to be given to git as it came. */
  readonly bytes: Uint8Array;
};

export class PushRequestError extends Error {
  override name = 'PushRequestError';
}

/** A well-formed push with a name that AME cannot keep, for an answer that git shows to the person. */
export class RefNameError extends PushRequestError {
  override name = 'RefNameError';
  /** Each ref of the push, as bytes: the client knows its refs by these alone. */
  readonly refs: readonly Uint8Array[];
  readonly capabilities: ReadonlySet<string>;
  constructor(refs: readonly Uint8Array[], capabilities: ReadonlySet<string>) {
    super('the name of a ref is not UTF-8');
    this.refs = refs;
    this.capabilities = capabilities;
  }
}

/** Bytes of commands and options: room for more than 10,000 refs, so that a refusal can still name each one. */
const requestLimit = 4 * 1024 * 1024;

/**
 * Reads what a push wants from the beginning of a receive-pack request and leaves the pack in the reader.
 * Throws `PushRequestError` where it is malformed or longer than 4 MiB, `PktError` where it is not framed, and
 * `RefNameError` once it is read where a name is not UTF-8.
 */
export async function parseReceiveCommands(reader: ByteReader): Promise<PushRequest> {
  const seen: Uint8Array[] = [];
  const budget = { left: requestLimit };
  const commands: RefCommand[] = [];
  const names: Buffer[] = [];
  let capabilities: ReadonlySet<string> = new Set();
  for (const line of await readSection(reader, seen, budget)) {
    // A client whose clone is shallow says first where its history ends; that is git's business alone.
    if (line.subarray(0, 8).toString('latin1') === 'shallow ') continue;
    const end = line.indexOf(0);
    if (end >= 0 && commands.length === 0) capabilities = parseCapabilities(line.subarray(end + 1));
    const { name, ...ids } = parseCommand(end >= 0 ? line.subarray(0, end) : line);
    names.push(name);
    commands.push({ ref: name.toString('utf8'), ...ids });
  }
  const pushOptions =
    capabilities.has('push-options') && commands.length > 0
      ? (await readSection(reader, seen, budget)).map((line) => line.toString('utf8').trimEnd())
      : [];
  if (!names.every((name) => isUtf8(name))) throw new RefNameError(names, capabilities);
  return { commands, capabilities, pushOptions, bytes: Buffer.concat(seen) };
}

async function readSection(
  reader: ByteReader,
  seen: Uint8Array[],
  budget: { left: number },
): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  for (;;) {
    const pkt = await readPkt(reader);
    if (pkt?.type === 'flush') {
      seen.push(Buffer.from('0000'));
      return lines;
    }
    if (pkt?.type !== 'data') throw new PushRequestError('the list of refs of the push is not complete');
    budget.left -= pkt.data.length + 4;
    if (budget.left < 0) throw new PushRequestError('the push names too many refs');
    seen.push(Buffer.from((pkt.data.length + 4).toString(16).padStart(4, '0')), pkt.data);
    lines.push(pkt.data);
  }
}

function parseCapabilities(bytes: Uint8Array): ReadonlySet<string> {
  const words = Buffer.from(bytes).toString('utf8').trim().split(' ');
  return new Set(words.filter((word) => word !== ''));
}

type CommandLine = { readonly name: Buffer; readonly before: string; readonly after: string };

function parseCommand(line: Buffer): CommandLine {
  // A char a byte: the name may be of any encoding.
  const [before = '', after = '', ...rest] = line.toString('latin1').replace(/\n$/, '').split(' ');
  const name = Buffer.from(rest.join(' '), 'latin1');
  if (!isObjectId(before) || !isObjectId(after) || name.length === 0) {
    throw new PushRequestError('a line of the push is not "<before> <after> <ref>"');
  }
  return { name, before, after };
}
