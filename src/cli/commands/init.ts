import { readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { parseRepositoryName } from '../../git/repository-name.ts';
import { addRemote, listRemotes } from '../../git/working-copy.ts';
import { findAddress, type ServerAddress } from '../client.ts';
import { findRepositoryRoot, projectOfFolder } from '../clone.ts';
import { exitCodes, inputFault, ServerAwayFault, type ExitCode } from '../fault.ts';
import { print, type Terminal } from '../terminal.ts';

/**
 * Writes the four lines of `ame.yaml` that run a task at every push, and adds the remote `ame` that they are pushed
 * to. With `remote` it is only the latter.
 */
export async function init(terminal: Terminal, options: { readonly remote?: true }): Promise<ExitCode> {
  const folder = terminal.cwd;
  const root = await findRepositoryRoot(folder);
  if (root !== undefined && root !== folder) {
    throw inputFault(`ame.yaml belongs in the root of the repository: cd ${root} && ame init`);
  }
  if (options.remote && root === undefined)
    throw inputFault('There is no Git repository here. Make one first: git init');
  const project = (await projectOfFolder(folder)) ?? projectName(basename(folder));
  const remote = await findAddress(terminal).then(
    (server) => remoteAddress(server, project),
    (error: unknown) => {
      // The file can be written without a server, the remote cannot be known.
      if (error instanceof ServerAwayFault && !options.remote) return undefined;
      throw error;
    },
  );
  if (!options.remote) await writeProjectFile(terminal, folder, project);
  const added = root !== undefined && remote !== undefined && (await addOwnRemote(root, remote));
  if (added) print(terminal, `The remote "ame" leads to ${remote.replace(/\/\/[^@/]*@/, '//')}`);
  else if (root !== undefined && remote !== undefined)
    print(terminal, 'There is a remote "ame" already, and it stays as it is.');
  print(terminal, 'Next:');
  for (const line of nextLines(root !== undefined, remote))
    print(terminal, `  ${terminal.colors.bold(line)}`);
  return exitCodes.good;
}

async function writeProjectFile(terminal: Terminal, folder: string, project: string): Promise<void> {
  const text = `projectname: ${quoted(project)}\non: push\ntasks:\n  main: ${await guessCommand(folder)}\n`;
  // Fails where the file is there, also when it came to be just now.
  await writeFile(join(folder, 'ame.yaml'), text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw inputFault(
      'There is an ame.yaml already, and it stays as it is. ame init --remote adds the remote alone.',
    );
  });
  print(terminal, 'ame.yaml:');
  for (const line of text.trimEnd().split('\n')) print(terminal, `  ${line}`);
  print(terminal);
}

/** YAML reads a name such as `1e3` or `no` as something else. */
function quoted(name: string): string {
  return /^[a-zA-Z]/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : `"${name}"`;
}

function nextLines(isRepository: boolean, remote: string | undefined): readonly string[] {
  return [
    ...(isRepository ? [] : ['git init']),
    ...(remote === undefined ? ['ame serve               # or npm start, in another terminal'] : []),
    ...(remote === undefined || !isRepository ? ['ame init --remote'] : []),
    "git add ame.yaml && git commit -m 'Run at every push'",
    'git push ame HEAD',
  ];
}

/** A folder's name as a project may be called. */
export function projectName(folder: string): string {
  const name = folder
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-zA-Z0-9._-]+/g, '-');
  return (
    name
      .replace(/^[^a-zA-Z0-9]+/, '')
      .slice(0, 63)
      .replace(/[^a-zA-Z0-9]+$/, '') || 'project'
  );
}

/** Programs that people give such names are what a project is run by. */
const programs = ['main.py', 'train.py', 'run.py', 'pipeline.py', 'app.py'];
const scripts = ['main.sh', 'run.sh', 'train.sh'];

async function guessCommand(folder: string): Promise<string> {
  const names = new Set(await readdir(folder));
  const program = programs.find((name) => names.has(name));
  if (program !== undefined) return `python ${program}`;
  const script = scripts.find((name) => names.has(name));
  if (script !== undefined) return `sh ${script}`;
  if (names.has('Makefile')) return 'make';
  if (names.has('package.json') && (await hasTest(join(folder, 'package.json')))) return 'npm test';
  const only = [...names].filter((name) => /^[\w.-]+\.py$/.test(name));
  if (only.length === 1) return `python ${only[0]}`;
  return 'echo "Here goes your command"';
}

async function hasTest(path: string): Promise<boolean> {
  try {
    const read: unknown = JSON.parse(await readFile(path, 'utf8'));
    const scripts = typeof read === 'object' && read !== null && 'scripts' in read ? read.scripts : null;
    return typeof scripts === 'object' && scripts !== null && 'test' in scripts;
  } catch {
    return false;
  }
}

function remoteAddress({ address, token }: ServerAddress, project: string): string {
  const user = projectName(userName());
  const owner = typeof parseRepositoryName(user, project) === 'string' ? 'local' : user;
  const name = typeof parseRepositoryName(owner, project) === 'string' ? 'project' : project;
  const url = new URL(`${address}/git/${owner}/${name}.git`);
  url.username = 'ame';
  url.password = token;
  return url.href;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers run under numbers that no account has.
    return 'local';
  }
}

/** False where there is a remote of this name already, which stays. */
async function addOwnRemote(root: string, address: string): Promise<boolean> {
  if ((await listRemotes(root)).some(({ name }) => name === 'ame')) return false;
  await addRemote(root, { name: 'ame', address });
  return true;
}
