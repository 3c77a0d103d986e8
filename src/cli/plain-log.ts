import { createLog, type Log } from '../log.ts';
import { visibleText } from '../core/escape.ts';
import { note, type Terminal } from './terminal.ts';

/** pino's number for warnings. */
const warning = 40;

/**
 * The server's log for a person at a terminal: warnings and errors, one line each, on stderr. With the level
 * `debug` all of it, as it is.
 */
export function createPlainLog(terminal: Pick<Terminal, 'stderr'>, level: string): Log {
  if (level === 'debug') return createLog(level, { write: (line) => void terminal.stderr.write(line) });
  return createLog('warn', {
    write: (line) => {
      const entry = JSON.parse(line) as {
        readonly level: number;
        readonly msg?: string;
        readonly error?: string;
      };
      const [error = ''] = (entry.error ?? '').split('\n', 1);
      const kind = entry.level > warning ? 'error' : 'warning';
      note(terminal, visibleText(`ame: ${kind}: ${entry.msg ?? ''}${error === '' ? '' : `: ${error}`}`));
    },
  });
}
