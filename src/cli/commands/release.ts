import { plainLine } from '../../core/escape.ts';
import { answer, connect, pathPart } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import type { QueueName } from '../queue-names.ts';
import { print, type Terminal } from '../terminal.ts';

/** Lets a row that failed too often, and so was parked, be tried again. */
export async function release(terminal: Terminal, queue: QueueName, id: string): Promise<ExitCode> {
  const client = await connect(terminal);
  await answer(client.api.parked[':queue'][':id'].release.$post({ param: { queue, id: pathPart(id) } }));
  print(terminal, `Row ${plainLine(id)} of ${queue} is tried again.`);
  return exitCodes.good;
}
