import { parseConfig } from '../../config.ts';
import { directoryOf } from '../client.ts';
import { listenForEnd } from '../end-signals.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { giveBackSoon } from '../give-back.ts';
import type { Terminal } from '../terminal.ts';

/** Runs the server until it is asked to end. Its log, one JSON object a line, goes to stdout. */
export async function serve(terminal: Terminal): Promise<ExitCode> {
  const config = parseConfig(terminal.env);
  const end = listenForEnd(terminal, 'Stopping; once more ends at once.');
  try {
    const [{ startServer }, { createLog }] = await Promise.all([
      import('../../main.ts'),
      import('../../log.ts'),
    ]);
    const log = createLog(config.logLevel, { write: (line) => void terminal.stdout.write(line) });
    const server = await startServer(config, directoryOf(terminal), log);
    giveBackSoon();
    await end.wished;
    await server.stop();
    return exitCodes.good;
  } finally {
    end.stopListening();
  }
}
