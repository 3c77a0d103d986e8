import { plainLine } from '../../core/escape.ts';
import { answer, connect } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { print, printJson, type Terminal } from '../terminal.ts';

/**
 * Says what is wrong with the GitHub App, a line each with its remedy. The server asks GitHub: key and secret are
 * there alone.
 */
export async function githubCheck(terminal: Terminal, options: { readonly json?: true }): Promise<ExitCode> {
  const { green, red, dim } = terminal.colors;
  const client = await connect(terminal);
  const { ok, findings } = await answer(client.api.github.check.$post());
  if (options.json) printJson(terminal, { ok, findings });
  else
    for (const finding of findings) {
      const mark = finding.ok ? green('good ') : red('wrong');
      const message = plainLine(finding.message).replace(/\.$/, '');
      // No full stop behind it: many end with an address.
      const remedy = finding.remedy === null ? '' : `. ${dim(plainLine(finding.remedy))}`;
      print(terminal, `${mark}  ${finding.what.padEnd(11)}  ${message}${remedy}`);
    }
  return ok ? exitCodes.good : exitCodes.failure;
}
