import type { GithubShape } from '../../server/api/shapes.ts';
import { answer, connect } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { tableLines, type Cell } from '../table.ts';
import { print, printJson, type Terminal } from '../terminal.ts';

type Options = { readonly json?: true };

/** Shows which GitHub App the server is, who installed it, and what was found there. */
export async function github(terminal: Terminal, options: Options): Promise<ExitCode> {
  const client = await connect(terminal);
  const found = await answer(client.api.github.$get());
  if (options.json) printJson(terminal, found);
  else for (const line of foundLines(terminal, found, client.address)) print(terminal, line);
  return exitCodes.good;
}

function foundLines(
  terminal: Terminal,
  { app, installations }: GithubShape,
  address: string,
): readonly string[] {
  if (app === null) return [`No GitHub App is set: open ${address}/setup, or see docs/github.md.`];
  const { bold } = terminal.colors;
  const by = app.source === 'setup' ? 'stored by /setup' : 'named by AME_GITHUB_APP_ID';
  const install = app.url === null ? '' : ` Install it: ${app.url}/installations/new`;
  const head = `${bold(`App ${app.id}`)}, ${by}.${install}`;
  if (installations.length === 0) return [head, 'It is installed nowhere yet.'];
  const rows = installations.flatMap((installation) => installationRows(terminal, installation));
  const columns = ['ACCOUNT', 'REPOSITORY', 'PROJECT', 'ACCESS', 'TROUBLE'].map((title) => ({ title }));
  return [head, '', ...tableLines(columns, rows, bold), '', requestLine(installations)];
}

type Installation = GithubShape['installations'][number];

function installationRows({ colors }: Terminal, installation: Installation): readonly (Cell | string)[][] {
  const { account, suspendedAt, removedAt, lastError, repositories } = installation;
  const state = removedAt !== null ? 'removed' : suspendedAt !== null ? 'suspended' : null;
  const own = state !== null || lastError !== null || repositories.length === 0;
  return [
    ...(own ? [[account, '', '', state ?? 'installed', lastError ?? '']] : []),
    // Records of what was removed stay; nothing of it is to be found there any more.
    ...(removedAt === null ? repositories : []).map(({ owner, name, project, access, ...row }) => [
      account,
      `${owner}/${name}`,
      project ?? { text: 'no valid ame.yaml', paint: colors.dim },
      access,
      row.lastError ?? '',
    ]),
  ];
}

function requestLine(installations: readonly Installation[]): string {
  const total = installations.reduce((sum, { requests }) => sum + (requests?.requests ?? 0), 0);
  return `${total} ${total === 1 ? 'request' : 'requests'} to GitHub since the server was started; --json counts them by account.`;
}
