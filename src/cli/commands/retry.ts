import { attendRun } from '../attend-run.ts';
import { answer, connect } from '../client.ts';
import type { ExitCode } from '../fault.ts';
import { findRun } from '../find-run.ts';
import { note, type Terminal } from '../terminal.ts';
import { runName } from '../words.ts';

/** Runs again what did not succeed in a run, by the same plan, and follows it. */
export async function retry(
  terminal: Terminal,
  name: string,
  options: { readonly follow: boolean; readonly json?: true },
): Promise<ExitCode> {
  const client = await connect(terminal);
  const found = await findRun(terminal, client, name);
  const run = await answer(client.api.runs[':id'].retry.$post({ param: { id: String(found.id) } }));
  note(terminal, `${runName(run)} tries again what did not succeed in ${runName(found)}.`);
  return attendRun(terminal, client, run, options);
}
