import { parseConfig } from '../../config.ts';
import { plainLine } from '../../core/escape.ts';
import type { Finding } from '../../doctor/finding.ts';
import { directoryOf } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { print, printJson, type Terminal } from '../terminal.ts';

/**
 * Looks at everything that a server with this configuration needs, without one running, and says what is wrong, a line
 * each with its remedy.
 */
export async function doctor(terminal: Terminal, options: { readonly json?: true }): Promise<ExitCode> {
  const config = parseConfig(terminal.env);
  const { examine } = await import('../../doctor/doctor.ts');
  const findings: Finding[] = [];
  const exam = {
    config,
    directory: directoryOf(terminal),
    // What every pod has in its environment.
    inPod: terminal.env['KUBERNETES_SERVICE_HOST'] !== undefined,
  };
  for await (const finding of examine(exam)) {
    findings.push(finding);
    // A look at a cluster takes its time: each line as soon as it is known.
    if (!options.json) print(terminal, lineOf(terminal, finding));
  }
  const ok = findings.every((finding) => finding.ok);
  if (options.json) printJson(terminal, { ok, findings });
  return ok ? exitCodes.good : exitCodes.failure;
}

function lineOf({ colors: { green, red, dim } }: Terminal, { what, ok, message, remedy }: Finding): string {
  const mark = ok ? green('good ') : red('wrong');
  const said = plainLine(message).replace(/\.$/, '');
  return `${mark}  ${what.padEnd(8)}  ${said}${remedy === null ? '' : `. ${dim(plainLine(remedy))}`}`;
}
