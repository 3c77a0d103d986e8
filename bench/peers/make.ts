import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Peers } from '../figures.ts';

const run = promisify(execFile);

export const makeKnown = {
  makeTasksPerSecond: {
    quoted: '1700',
    source: 'measured by the authors of AME on two cores: 100 tasks in 0.06 s',
  },
};

/** As many shells that do nothing, so many at once. Make stores no state of them. */
export async function measureMake(directory: string, tasks: number, atOnce: number): Promise<Peers> {
  const { stdout } = await run('make', ['--version']);
  const names = Array.from({ length: tasks }, (_, at) => `t${at}`);
  const file = join(directory, 'Makefile');
  // With the semicolon make asks a shell, as a task of AME does, and does not start `true` by itself.
  const rules = names.map((name) => `${name}:\n\t@true;`).join('\n');
  await writeFile(
    file,
    `SHELL = /bin/sh\nall: ${names.join(' ')}\n${rules}\n.PHONY: all ${names.join(' ')}\n`,
  );
  const from = performance.now();
  await run('make', ['--no-print-directory', `-j${atOnce}`, '-f', file]);
  const figure = Math.round((tasks * 1_000) / (performance.now() - from));
  return { makeTasksPerSecond: { figure, version: stdout.split('\n')[0] ?? '' } };
}
