import type { RunShape } from '../../server/api/shapes.ts';
import type { RunState } from '../../core/run.ts';
import { answer, connect, type Client } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { print, printJson, type Terminal } from '../terminal.ts';
import { tableLines } from '../table.ts';
import { ago, painter, runName, shortRef, took, why } from '../words.ts';

export type RunsOptions = {
  readonly project?: string;
  readonly task?: string;
  readonly state?: RunState;
  readonly ref?: string;
  readonly commit?: string;
  readonly limit: number;
  readonly json?: true;
};

/** The most that one page of the API holds. */
const pageSize = 200;

/** Lists runs, newest first. */
export async function runs(terminal: Terminal, options: RunsOptions): Promise<ExitCode> {
  const client = await connect(terminal);
  const { limit, json, ...asked } = options;
  const filter = {
    ...asked,
    ...(asked.commit === undefined ? {} : { commit: await fullCommit(terminal, asked.commit) }),
  };
  const found = await listRuns(client, filter, limit);
  if (json) printJson(terminal, found);
  else for (const line of runLines(terminal, found)) print(terminal, line);
  return exitCodes.good;
}

/** The newest runs that pass, at most `limit`. */
export async function listRuns(
  client: Client,
  filter: Pick<RunsOptions, 'project' | 'task' | 'state' | 'ref' | 'commit'>,
  limit: number,
): Promise<readonly RunShape[]> {
  const found: RunShape[] = [];
  for (let cursor: string | null = null; ;) {
    const query = {
      ...filter,
      limit: String(Math.min(pageSize, limit - found.length)),
      ...(cursor === null ? {} : { cursor }),
    };
    const page: { readonly runs: readonly RunShape[]; readonly next: string | null } = await answer(
      client.api.runs.$get({ query }),
    );
    found.push(...page.runs);
    cursor = page.next;
    if (cursor === null || found.length >= limit) return found;
  }
}

/** A table of runs, or a word where there are none. */
export function runLines(terminal: Terminal, found: readonly RunShape[]): readonly string[] {
  const { colors } = terminal;
  if (found.length === 0) return ['No runs.'];
  const now = new Date();
  return tableLines(
    [
      { title: 'RUN' },
      { title: 'STATE' },
      { title: 'TASK' },
      { title: 'REF' },
      { title: 'COMMIT' },
      { title: 'BY' },
      { title: 'MADE' },
      { title: 'TOOK', side: 'right' },
      { title: 'WHY' },
    ],
    found.map((run) => [
      runName(run),
      { text: run.state, paint: painter(colors, run.state) },
      run.task,
      shortRef(run.ref),
      { text: run.commit.slice(0, 8), paint: colors.dim },
      run.trigger.replaceAll('_', ' '),
      ago(run.createdAt, now),
      took(run, now),
      why(run),
    ]),
    colors.bold,
  );
}

/** Short ids are made whole by the clone we are in; the server compares whole ones. */
async function fullCommit(terminal: Terminal, commit: string): Promise<string> {
  if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) return commit;
  const { resolveCommit } = await import('../clone.ts');
  return (await resolveCommit(terminal.cwd, commit)) ?? commit;
}
