import { createByteReader } from './byte-reader.ts';
import { encodeBand, encodePkt, flushPkt, PktError, readPkt } from './pkt-line.ts';
import type { PushRequest } from './receive-commands.ts';
import { encodeReport, parseReport, type PushReport } from './report-status.ts';
import { terminalLines } from './terminal-text.ts';

/** What the server adds once git is done: the report as the client shall see it, and lines for the person. */
export type Settled = { readonly report: PushReport; readonly lines: AsyncIterable<string> };

/**
 * git's answer to a push with the server's own words in it. Progress passes as it comes; git's report is
 * held back and given to `settle` (`null` where git sent none), whose report and lines take its place, all
 * of it before the flush that ends the answer. A client without side-band sees the report and no lines.
 * Errors of `settle` and of its lines pass through.
 */
export async function* withRemoteLines(
  answer: AsyncIterable<Uint8Array>,
  request: PushRequest,
  settle: (report: PushReport | null) => Promise<Settled>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const banded = hasSideBand(request);
  const report = banded ? yield* relayProgress(answer) : await gather(answer);
  const settled = await settle(await parseReport(report));
  yield* encodeAnswer(request, settled.report, settled.lines);
}

/**
 * The answer to a push that git never saw: every ref is refused for its own reason. Framed as git would
 * frame it, so the client shows the reasons beside the refs.
 */
export async function* refusal(
  request: PushRequest,
  reason: (ref: string) => string,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const refs = request.commands.map(({ ref }) => ({ ref, reason: reason(ref) }));
  yield* encodeAnswer(request, { unpack: 'ok', refs }, lines);
}

async function* encodeAnswer(
  request: PushRequest,
  report: PushReport,
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const asked = request.capabilities.has('report-status') || request.capabilities.has('report-status-v2');
  if (!hasSideBand(request)) {
    // The lines are still drawn: whoever makes them may count on being heard to the end.
    for await (const _line of lines);
    if (asked) yield encodeReport(report);
    return;
  }
  if (asked) yield encodeBand(1, encodeReport(report));
  for await (const text of lines) {
    for (const line of terminalLines(text)) yield encodeBand(2, `${line}\n`);
  }
  yield flushPkt;
}

function hasSideBand(request: PushRequest): boolean {
  return request.capabilities.has('side-band-64k');
}

/** Passes on everything but band 1, which it gathers and returns. The last flush stays out. */
async function* relayProgress(
  answer: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, Buffer, undefined> {
  const reader = createByteReader(answer);
  const report: Buffer[] = [];
  try {
    for (let pkt = await readPkt(reader); pkt !== null; pkt = await readPkt(reader)) {
      if (pkt.type !== 'data') continue;
      if (pkt.data[0] === 1) report.push(pkt.data.subarray(1));
      else yield encodePkt(pkt.data);
    }
  } catch (error) {
    // git was ended in the middle of a line; what it did is looked up in its refs.
    if (!(error instanceof PktError)) throw error;
  }
  return Buffer.concat(report);
}

async function gather(answer: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks);
}
