import { plainLine } from '../core/escape.ts';
import type { RunShape } from '../server/api/shapes.ts';
import { answer, type Client } from './client.ts';
import { inputFault } from './fault.ts';
import type { Terminal } from './terminal.ts';
import { runName } from './words.ts';

type Named = { readonly project: string | null; readonly number: number } | { readonly id: number };

/** `<project>#<n>`, `#<n>`, a bare number, or the address of a run's page; nothing where it is none of these. */
export function parseRunName(text: string): Named | undefined {
  const [, id] = /^https?:\/\/.*\/runs\/(\d{1,15})(?:[?#].*)?$/.exec(text) ?? [];
  if (id !== undefined) return { id: Number(id) };
  const [, project, number] = /^(?:([^#]*)#)?(\d{1,9})$/.exec(text) ?? [];
  if (number === undefined || Number(number) < 1) return undefined;
  return { project: project === undefined || project === '' ? null : project, number: Number(number) };
}

/**
 * The run that a person means. A bare number is that of the project whose clone we are in, where it has such a run;
 * elsewhere it must be the only one. Throws a fault that lists what it may mean.
 */
export async function findRun(terminal: Terminal, client: Client, text: string): Promise<RunShape> {
  const named = parseRunName(text);
  if (named === undefined) {
    throw inputFault(
      `"${plainLine(text)}" names no run. Write <project>#<number>, such as weather#3; ame runs lists them.`,
    );
  }
  if ('id' in named) return answer(client.api.runs[':id'].$get({ param: { id: String(named.id) } }));
  const { project, number } = named;
  const query = { number: String(number), ...(project === null ? {} : { project }) };
  const { runs } = await answer(client.api.runs.$get({ query }));
  const [only] = runs;
  if (only === undefined)
    throw inputFault(`There is no run ${plainLine(text)}. ame runs lists those that there are.`);
  if (runs.length === 1) return only;
  return chooseHere(terminal, runs, text);
}

async function chooseHere(terminal: Terminal, runs: readonly RunShape[], text: string): Promise<RunShape> {
  // Only here is it worth the time to look around: reading a file and asking git.
  const { hostedRemotes, projectOfFolder } = await import('./clone.ts');
  const project = await projectOfFolder(terminal.cwd);
  const named = runs.filter((run) => project !== undefined && run.project === project);
  const remotes = named.length > 1 ? new Set(await hostedRemotes(terminal.cwd)) : new Set<string>();
  const here = named.length > 1 ? named.filter(({ repository }) => remotes.has(repository)) : named;
  const [only] = here;
  if (only !== undefined && here.length === 1) return only;
  const distinct = new Set(runs.map(({ project }) => project)).size === runs.length;
  const candidates = runs.map((run) =>
    distinct ? runName(run) : `${runName(run)} of ${run.repository} (${run.url})`,
  );
  throw inputFault(`"${plainLine(text)}" may mean ${candidates.map(plainLine).join(', ')}. Write which one.`);
}
