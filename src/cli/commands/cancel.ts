import { answer, connect } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { findRun } from '../find-run.ts';
import { print, printJson, type Terminal } from '../terminal.ts';
import { runName } from '../words.ts';

/** Asks a run to end. It ends a moment later: its tasks get a TERM and some time. */
export async function cancel(
  terminal: Terminal,
  name: string,
  options: { readonly json?: true },
): Promise<ExitCode> {
  const client = await connect(terminal);
  const found = await findRun(terminal, client, name);
  const run = await answer(client.api.runs[':id'].cancel.$post({ param: { id: String(found.id) } }));
  if (options.json) printJson(terminal, run);
  else print(terminal, `${runName(run)} is asked to end.`);
  return exitCodes.good;
}
