import { resolve } from 'node:path';
import { showBytes } from '../../core/check/amounts.ts';
import { plainLine } from '../../core/escape.ts';
import { counted } from '../../core/problems/wording.ts';
import { makeDirectory } from '../../data-directory/make-directory.ts';
import { answer, connect, type Client } from '../client.ts';
import { saveBelow } from '../download.ts';
import { exitCodes, inputFault, type ExitCode } from '../fault.ts';
import { findRun } from '../find-run.ts';
import { tableLines } from '../table.ts';
import { note, print, printJson, type Terminal } from '../terminal.ts';
import { runName } from '../words.ts';

export type ArtifactsOptions = { readonly get?: string; readonly task?: string; readonly json?: true };

/** Lists what the tasks of a run left, or downloads it. */
export async function artifacts(
  terminal: Terminal,
  name: string,
  options: ArtifactsOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const run = await findRun(terminal, client, name);
  const all = (await answer(client.api.runs[':id'].artifacts.$get({ param: { id: String(run.id) } })))
    .artifacts;
  const found = options.task === undefined ? all : all.filter(({ task }) => task === options.task);
  if (options.json) printJson(terminal, found);
  if (options.get !== undefined) {
    await download(terminal, client, found, options.get);
  } else if (!options.json) {
    for (const line of listLines(terminal, found)) print(terminal, line);
    if (found.length > 0) note(terminal, `Get them with: ame artifacts ${runName(run)} --get <folder>`);
  }
  return exitCodes.good;
}

type Artifact = {
  readonly id: number;
  readonly task: string;
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  readonly mode: number;
};

function listLines({ colors }: Terminal, found: readonly Artifact[]): readonly string[] {
  if (found.length === 0) return ['No artifacts.'];
  return tableLines(
    [{ title: 'TASK' }, { title: 'SIZE', side: 'right' }, { title: 'DIGEST' }, { title: 'FILE' }],
    found.map(({ task, size, digest, path }) => [
      task,
      showBytes(size),
      { text: digest.slice(0, 12), paint: colors.dim },
      path,
    ]),
    colors.bold,
  );
}

async function download(
  terminal: Terminal,
  client: Client,
  found: readonly Artifact[],
  asked: string,
): Promise<void> {
  const folder = resolve(terminal.cwd, asked);
  await makeDirectory(folder).catch((error: unknown) => {
    throw inputFault(
      `${plainLine(asked)} cannot be made: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  // As if all tasks had run in one folder: of a file that several left the last one stays.
  const last = new Map(found.map((artifact) => [artifact.path, artifact]));
  for (const artifact of last.values()) {
    const { body } = await client.fetch(`/api/v1/artifacts/${artifact.id}/content`);
    await saveBelow(folder, artifact, body ?? empty());
    note(terminal, plainLine(artifact.path));
  }
  const bytes = [...last.values()].reduce((sum, { size }) => sum + size, 0);
  const older = found.length - last.size;
  note(terminal, `${counted(last.size, 'file')}, ${showBytes(bytes)}, in ${plainLine(folder)}`);
  if (older > 0)
    note(terminal, `${counted(older, 'older version')} left by earlier tasks: --task <task> gets those.`);
}

async function* empty(): AsyncGenerator<Uint8Array> {}
