import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Peers } from '../figures.ts';
import { installFromPypi, programOf } from './install.ts';

const run = promisify(execFile);
const version = '2.19.39';

export const metaflowKnown = {
  metaflowTasksPerSecond: {
    quoted: '3.1 to 3.7',
    source: 'measured by the authors of AME on two cores: 100 tasks in 27.7 to 33.2 s',
  },
};

/** A step for each of so many items, so many at once, and the three steps that such a flow has at least. */
export async function measureMetaflow(directory: string, tasks: number, atOnce: number): Promise<Peers> {
  const metaflow = await installFromPypi('metaflow', version);
  const file = join(directory, 'fan_flow.py');
  await writeFile(
    file,
    `from metaflow import FlowSpec, step


class FanFlow(FlowSpec):
    @step
    def start(self):
        self.items = list(range(${tasks}))
        self.next(self.one, foreach="items")

    @step
    def one(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    FanFlow()
`,
  );
  const options = ['--no-pylint', 'run', '--max-workers', String(atOnce), '--max-num-splits', String(tasks)];
  const from = performance.now();
  await run(programOf(metaflow, 'python3'), [file, ...options], {
    cwd: directory,
    env: { ...process.env, METAFLOW_DATASTORE_SYSROOT_LOCAL: directory, USERNAME: 'bench' },
    maxBuffer: 2 ** 28,
  });
  const figure = Math.round((tasks * 10_000) / (performance.now() - from)) / 10;
  return { metaflowTasksPerSecond: { figure, version } };
}
