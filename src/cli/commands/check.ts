import { open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileCheck } from '../../core/check/file-check.ts';
import { plainCheck, problemLines } from '../../core/check.ts';
import { plainLine } from '../../core/escape.ts';
import { parseProjectFile } from '../../core/project-file.ts';
import { problem, type Problem } from '../../core/problems.ts';
import { exitCodes, inputFault, type ExitCode } from '../fault.ts';
import { print, printJson, type Terminal } from '../terminal.ts';

/** Checks a file, or the `ame.yaml` of a folder, with the server's own validator and its words. */
export async function check(
  terminal: Terminal,
  path: string,
  options: { readonly json?: true },
): Promise<ExitCode> {
  const { content, misnamed } = await readProjectFile(resolve(terminal.cwd, path), path);
  const read = parseProjectFile(content);
  const problems = [
    ...read.problems,
    ...(misnamed ? [problem('file-not-read', { line: 1, column: 1, path: '' }, {})] : []),
  ];
  const valid = read.project !== null;
  if (options.json) printJson(terminal, { valid, problems: problems.map(asJson) });
  else printProblems(terminal, read.project?.name ?? null, problems);
  return valid ? exitCodes.good : exitCodes.input;
}

/** The file's bytes, and whether an `ame.yml`, which nobody reads, lies beside it. */
export async function readProjectFile(
  path: string,
  asked: string,
): Promise<{ readonly content: Uint8Array; readonly misnamed: boolean }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw inputFault(`There is no ${plainLine(asked)}.`);
  const file = found.isDirectory() ? join(path, 'ame.yaml') : path;
  const misnamed = await isFile(join(dirname(file), 'ame.yml'));
  try {
    return { content: await readStart(file), misnamed: misnamed && basename(file) !== 'ame.yml' };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      const where = plainLine(asked === '.' ? path : asked);
      throw inputFault(
        misnamed
          ? `There is an ame.yml in ${where}, but only ame.yaml is read: rename it.`
          : `There is no ame.yaml in ${where}. ame init writes one.`,
      );
    }
    throw inputFault(
      `${plainLine(file)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Every problem; the remote lines of a push stop after the first sixty. */
function printProblems(terminal: Terminal, project: string | null, problems: readonly Problem[]): void {
  const said = fileCheck({ project, problems, decision: null, runs: [], externalId: '', url: null });
  const [title] = plainCheck(said).split('\n', 1);
  const paint = said.conclusion === 'failure' ? terminal.colors.red : terminal.colors.green;
  print(terminal, paint(title ?? ''));
  for (const line of problems.flatMap(problemLines)) print(terminal, line);
}

function asJson({ code, severity, message, remedy, line, column, path }: Problem): Problem {
  return { code, severity, message, remedy, line, column, path };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** More than the validator accepts, so that it says so itself, and no more. */
const mostBytes = 1024 * 1024;

async function readStart(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
