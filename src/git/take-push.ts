import type { ByteReader } from './byte-reader.ts';
import { isUtf8 } from 'node:buffer';
import { adoptHead, keepCommits, receivePack } from './host.ts';
import { isZeroId } from './object-id.ts';
import { encodeBand, encodePkt, flushPkt } from './pkt-line.ts';
import { withRemoteLines, type Settled } from './push-answer.ts';
import { pushEffect } from './push-effect.ts';
import type { PushRequest, RefCommand, RefNameError } from './receive-commands.ts';
import type { PushReport } from './report-status.ts';
import { isAncestor, listRefs } from './repository.ts';

export type PushSink = {
  /** Bytes of pack that are taken at most. */
  readonly maxBytes: number;
  /**
   * Called once git is done, where it moved anything, whether or not the client still listens. `head` is
   * the default branch by its full name. Answers with the lines that the person sees; must not throw.
   */
  settled(moved: readonly RefCommand[], head: string | null): AsyncIterable<string>;
  /** Told of what went wrong without ending the push. */
  failed(error: unknown): void;
};

/** Gives a push to git and answers as git does, with the lines of `sink.settled` before the end. */
export function takePush(
  directory: string,
  request: PushRequest,
  reader: ByteReader,
  sink: PushSink,
): AsyncGenerator<Uint8Array, void, undefined> {
  const answer = endQuietly(receivePack(directory, wholeBody(request, reader), sink.maxBytes), sink);
  return withRemoteLines(answer, request, (report) => settle(directory, request, reader, report, sink));
}

/** Reads a request to its end: a client that is still sending does not see an answer that comes earlier. */
export async function drain(reader: ByteReader): Promise<void> {
  try {
    for await (const _chunk of reader.rest());
  } catch {
    // The client is gone, and so is the need.
  }
}

/**
 * The answer to a push with a name that is not UTF-8, which git never sees: every ref is refused, under the bytes
 * that the client knows it by, and a line says what to do.
 */
export async function* refuseNames({
  refs,
  capabilities,
}: RefNameError): AsyncGenerator<Uint8Array, void, undefined> {
  const refused = refs.map((ref) => {
    const reason = isUtf8(ref) ? 'another ref of the push was refused' : 'the name of the ref is not UTF-8';
    return encodePkt(Buffer.concat([Buffer.from('ng '), ref, Buffer.from(` ${reason}\n`)]));
  });
  const asked = capabilities.has('report-status') || capabilities.has('report-status-v2');
  const report = asked ? Buffer.concat([encodePkt('unpack ok\n'), ...refused, flushPkt]) : Buffer.alloc(0);
  if (!capabilities.has('side-band-64k')) {
    yield report;
    return;
  }
  yield encodeBand(1, report);
  yield encodeBand(2, 'AME keeps names of branches and tags in UTF-8: nothing was changed.\n');
  yield encodeBand(2, 'Give the branch or tag another name and push again.\n');
  yield flushPkt;
}

async function* wholeBody(request: PushRequest, reader: ByteReader): AsyncGenerator<Uint8Array> {
  yield request.bytes;
  yield* reader.rest();
}

async function settle(
  directory: string,
  request: PushRequest,
  reader: ByteReader,
  report: PushReport | null,
  sink: PushSink,
): Promise<Settled> {
  await drain(reader);
  const refsNow =
    report === null
      ? new Map((await listRefs(directory)).map(({ ref, id }) => [ref, id]))
      : new Map<string, string>();
  const effect = pushEffect(request, report, refsNow);
  if (effect.moved.length === 0) return { report: effect.report, lines: none() };
  let head: string | null = null;
  try {
    head = await adoptHead(directory, createdBranches(effect.moved));
    await keepCommits(directory, await leftBehind(directory, effect.moved));
  } catch (error) {
    sink.failed(error);
  }
  return { report: effect.report, lines: sink.settled(effect.moved, head) };
}

function createdBranches(moved: readonly RefCommand[]): string[] {
  return moved
    .filter(({ ref, after }) => ref.startsWith('refs/heads/') && !isZeroId(after))
    .map(({ ref }) => ref);
}

/** What no longer lies in the history of the ref that led to it. */
async function leftBehind(directory: string, moved: readonly RefCommand[]): Promise<string[]> {
  const left: string[] = [];
  for (const { ref, before, after } of moved) {
    if (isZeroId(before)) continue;
    // An annotated tag is an object of its own, in nobody's history.
    const stays =
      ref.startsWith('refs/heads/') && !isZeroId(after) && (await isAncestor(directory, before, after));
    if (!stays) left.push(before);
  }
  return left;
}

/** What git said before it ended badly still reaches the client; the refs tell what it did. */
async function* endQuietly(
  answer: AsyncIterable<Uint8Array>,
  sink: PushSink,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* answer;
  } catch (error) {
    sink.failed(error);
  }
}

async function* none(): AsyncGenerator<string, void, undefined> {}
