import { plainLine } from '../core/escape.ts';
import { isFinal } from '../core/run.ts';
import type { Server } from '../main.ts';
import type { RunShape } from '../server/api/shapes.ts';
import { createClient } from './client.ts';
import { listRuns } from './commands/runs.ts';
import { CliFault } from './fault.ts';
import { print, type Terminal } from './terminal.ts';
import { pageAddress, painter, runName, shortRef, took, why } from './words.ts';

/** Milliseconds between two looks without a hint. */
const pollMs = 1_000;
/** Runs of one look; of more at once the oldest go unmentioned. */
const looked = 30;

/** Says of each run of the server that it is there and how it ended, until the signal aborts. */
export async function watchRuns(terminal: Terminal, server: Server, signal: AbortSignal): Promise<void> {
  const client = createClient(server);
  let known: Map<number, RunShape['state']> | undefined;
  while (!signal.aborted) {
    const heard = server.context.hints.wait('runs', pollMs, signal);
    // While the database is away there is nothing to say; the server's own log does.
    const latest = await listRuns(client, {}, looked).catch(nothingOfFault);
    for (const run of latest?.toReversed() ?? []) {
      const before = known?.get(run.id);
      if (known === undefined || before === run.state) continue;
      if (before === undefined || isFinal(run.state)) print(terminal, runLine(terminal, run, server.token));
    }
    if (latest !== undefined) known = new Map(latest.map(({ id, state }) => [id, state]));
    await heard;
  }
}

function nothingOfFault(error: unknown): undefined {
  if (!(error instanceof CliFault)) throw error;
}

function runLine({ colors }: Terminal, run: RunShape, token: string): string {
  const name = colors.bold(plainLine(runName(run)));
  if (!isFinal(run.state)) {
    const what = `${plainLine(run.task)} at ${run.commit.slice(0, 8)} on ${plainLine(shortRef(run.ref))}`;
    return `${name} ${run.trigger.replaceAll('_', ' ')}: ${what}`;
  }
  const reason = plainLine(why(run));
  const time = took(run, new Date());
  const state = painter(colors, run.state)(run.state);
  return `${name} ${state}${time === '' ? '' : ` after ${time}`}${reason === '' ? '' : `: ${reason}`}  ${pageAddress(run.url, token)}`;
}
