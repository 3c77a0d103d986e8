import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Peers } from '../figures.ts';
import { installFromPypi, programOf } from './install.ts';

const run = promisify(execFile);
const version = '9.27.1';

export const snakemakeKnown = {
  snakemakeTasksPerSecond: {
    quoted: '40 to 60',
    source: 'measured by the authors of AME on two cores with Snakemake 7.21: 100 tasks in 1.6 to 2.5 s',
  },
};

/** As many rules that do nothing but leave the file that Snakemake asks of each, so many at once; its start included. */
export async function measureSnakemake(directory: string, tasks: number, atOnce: number): Promise<Peers> {
  const snakemake = await installFromPypi('snakemake', version);
  const file = join(directory, 'Snakefile');
  await writeFile(
    file,
    `rule all:
    input: expand("out/{n}", n=range(${tasks}))

rule one:
    output: touch("out/{n}")
    shell: "true"
`,
  );
  const options = ['--snakefile', file, '--directory', join(directory, 'snakemake')];
  const from = performance.now();
  await run(programOf(snakemake, 'snakemake'), [...options, '--cores', String(atOnce), '--quiet', 'all'], {
    maxBuffer: 2 ** 28,
  });
  const figure = Math.round((tasks * 1_000) / (performance.now() - from));
  return { snakemakeTasksPerSecond: { figure, version } };
}
