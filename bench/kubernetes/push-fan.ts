import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Pushes a file, and nothing else, to a repository of AME's own host. */
export async function pushFile(clone: string, url: string, file: string): Promise<void> {
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  await writeFile(`${clone}/ame.yaml`, file);
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'a benchmark');
  await git('push', '--quiet', url, 'main');
}

/** A file whose run has so many hundreds of tasks, all at once. */
export function fanFile(hundreds: number, resources: string): string {
  const entries = (count: number, task: string): string =>
    Array.from({ length: count }, (_, at) => `      n${at}: {taskref: ${task}, needs: []}\n`).join('');
  return [
    'projectname: fan\non: push\ntasks:\n',
    `  one: {runcommand: "true", resources: ${resources}}\n`,
    `  hundred:\n    pipeline:\n${entries(100, 'one')}`,
    `  main:\n    pipeline:\n${entries(hundreds, 'hundred')}`,
  ].join('');
}
