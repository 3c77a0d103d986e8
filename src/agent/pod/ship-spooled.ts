import { keepTrying } from '../keep-trying.ts';
import { shipLog, type Shipped, type ShipOptions } from '../ship.ts';
import type { LogSpool } from './log-spool.ts';

/**
 * `shipLog` with a spool between reading and sending: while the door is away the command goes on as long as there is
 * room, and whoever takes over after a crash of this process goes on where it was. Resolves when all is sent.
 */
export async function shipSpooled(options: ShipOptions, spool: LogSpool): Promise<Shipped> {
  const { clock, onFailure } = options;
  const refused = new AbortController();
  const signal = AbortSignal.any([options.signal, refused.signal]);
  const sending = spool.drain((chunk) =>
    keepTrying(() => options.append(chunk, noRest), { clock, signal, ...(onFailure && { onFailure }) }),
  );
  // Without this a refusal would be nobody's as long as the log is read.
  sending.catch((error: unknown) => refused.abort(error));
  const put = shipLog({
    ...options,
    signal,
    memory: spool.memory,
    append: (chunk, rest) => spool.put(chunk, rest),
  });
  const shipped = await put;
  spool.end();
  await sending;
  return shipped;
}

/** The door takes chunks as they are. */
function noRest(): never {
  throw new Error('nobody goes on from a chunk that was sent');
}
