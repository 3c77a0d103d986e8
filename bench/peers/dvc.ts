import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Peers } from '../figures.ts';
import { installFromPypi, programOf } from './install.ts';

const run = promisify(execFile);
const version = '3.67.1';

export const dvcKnown = {
  dvcUnchangedSeconds: {
    quoted: 'about 60 for 2105 files that are tracked one by one',
    source: 'https://github.com/treeverse/dvc/issues/10772',
  },
};

/** `dvc add` of this directory: the first, of what has not changed, and after these files changed. Each is a process. */
export async function measureDvc(directory: string, toChange: readonly string[]): Promise<Peers> {
  const dvc = await installFromPypi('dvc', version);
  const parent = dirname(directory);
  const ask = async (...args: string[]): Promise<number> => {
    const from = performance.now();
    await run(programOf(dvc, 'dvc'), args, {
      cwd: parent,
      env: { ...process.env, DVC_NO_ANALYTICS: '1' },
      maxBuffer: 2 ** 28,
    });
    return Math.round((performance.now() - from) / 10) / 100;
  };
  await ask('init', '--quiet', '--no-scm');
  const first = await ask('add', '--quiet', directory);
  const unchanged = await ask('add', '--quiet', directory);
  for (const path of toChange) await writeFile(path, 'changed for DVC');
  const changed = await ask('add', '--quiet', directory);
  return {
    dvcFirstSeconds: { figure: first, version },
    dvcUnchangedSeconds: { figure: unchanged, version },
    dvcChangedSeconds: { figure: changed, version },
  };
}
