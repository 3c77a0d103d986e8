import type { Client } from './client.ts';
import { RefusalFault, ServerAwayFault } from './fault.ts';
import type { LogPart } from './follow-log.ts';

/** Tries without a single byte before we give up. */
const mostFailures = 5;

/**
 * The log of an attempt as far as it goes now, without a word on which stream said what. A connection that breaks
 * is made again from the next byte.
 */
export async function* readLog(client: Client, attempt: number): AsyncGenerator<LogPart> {
  let offset = 0;
  for (let failures = 0; ;) {
    try {
      const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
      const { body } = await client.fetch(`/api/v1/attempts/${attempt}/log`, { headers });
      for await (const bytes of body ?? []) {
        offset += bytes.byteLength;
        failures = 0;
        yield { bytes, pieces: [{ stream: 1, bytes }] };
      }
      return;
    } catch (error) {
      // A range behind the last byte: all that there was has been read.
      if (error instanceof RefusalFault && error.status === 416) return;
      failures++;
      if (!(error instanceof ServerAwayFault || error instanceof TypeError) || failures > mostFailures)
        throw error;
    }
  }
}
