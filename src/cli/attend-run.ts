import type { RunShape } from '../server/api/shapes.ts';
import type { Client } from './client.ts';
import { exitCodes, type ExitCode } from './fault.ts';
import { followRun, readRun } from './follow-run.ts';
import { note, printJson, type Terminal } from './terminal.ts';
import { printVerdict, verdictCode } from './verdict.ts';
import { runName } from './words.ts';

/**
 * Follows a run that was just asked for to its end, and answers with the exit code that its verdict means. A
 * Ctrl-C ends only the following. With `json` nothing but the run, as it ended, is printed to stdout.
 */
export async function attendRun(
  terminal: Terminal,
  client: Client,
  run: Pick<RunShape, 'id' | 'project' | 'number'>,
  options: { readonly json?: true; readonly follow: boolean },
): Promise<ExitCode> {
  if (!options.follow) {
    if (options.json) printJson(terminal, await readRun(client, run.id));
    return exitCodes.good;
  }
  const interrupted = new AbortController();
  const stopListening = terminal.onSignal(() => interrupted.abort());
  try {
    const shown = options.json ? { ...terminal, stdout: terminal.stderr } : terminal;
    const ended = await followRun(shown, client, run.id, { signal: interrupted.signal });
    if (options.json) printJson(terminal, ended);
    else printVerdict(terminal, client, ended);
    return verdictCode(ended);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    const name = runName(run);
    note(terminal, `ame: ${name} goes on. ame logs ${name} --follow shows it, ame cancel ${name} ends it.`);
    return exitCodes.interrupted;
  } finally {
    stopListening();
  }
}
