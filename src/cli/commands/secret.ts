import { plainLine } from '../../core/escape.ts';
import { answer, connect, pathPart } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { chooseProject } from '../project-name.ts';
import { readSecret } from '../read-secret.ts';
import { tableLines } from '../table.ts';
import { print, printJson, type Terminal } from '../terminal.ts';
import { ago } from '../words.ts';

export type SecretOptions = { readonly project?: string; readonly json?: true };

/** Stores a value that comes from stdin or is typed unseen: an argument would be seen in lists of processes. */
export async function setSecret(terminal: Terminal, name: string, options: SecretOptions): Promise<ExitCode> {
  const client = await connect(terminal);
  const project = await chooseProject(terminal, options.project);
  const value = await readSecret(terminal, `Value of ${plainLine(name)} (not shown): `);
  const param = { project: pathPart(project), name: pathPart(name) };
  await answer(client.api.projects[':project'].secrets[':name'].$put({ param, json: { value } }));
  print(
    terminal,
    `${plainLine(project)} has the secret ${plainLine(name)}. Attempts that start from now on see it.`,
  );
  return exitCodes.good;
}

/** Lists names, never values. */
export async function listSecrets(terminal: Terminal, options: SecretOptions): Promise<ExitCode> {
  const client = await connect(terminal);
  const project = await chooseProject(terminal, options.project);
  const { secrets } = await answer(
    client.api.projects[':project'].secrets.$get({ param: { project: pathPart(project) } }),
  );
  if (options.json) {
    printJson(terminal, secrets);
    return exitCodes.good;
  }
  const now = new Date();
  const rows = secrets.map(({ name, updatedAt }) => [name, ago(updatedAt, now)]);
  const lines = tableLines([{ title: 'SECRET' }, { title: 'SET' }], rows, terminal.colors.bold);
  for (const line of rows.length === 0 ? ['No secrets.'] : lines) print(terminal, line);
  return exitCodes.good;
}

export async function deleteSecret(
  terminal: Terminal,
  name: string,
  options: SecretOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const project = await chooseProject(terminal, options.project);
  const param = { project: pathPart(project), name: pathPart(name) };
  await answer(client.api.projects[':project'].secrets[':name'].$delete({ param }));
  print(terminal, `${plainLine(project)} no longer has the secret ${plainLine(name)}.`);
  return exitCodes.good;
}
