import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseConfig, type Env } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { cloneAddress, startServer, type Server } from '../../src/main.ts';
import { createTestDatabase } from '../database.ts';
import { git, tryGit } from '../git/real-git.ts';
import { ame, startAme, type Asked, type Running, type Said } from './fake-terminal.ts';

/** A server of the test's own with a folder beside it, and the command that talks to it. */
export type Served = AsyncDisposable & {
  readonly server: Server;
  readonly folder: string;
  ame(args: readonly string[], asked?: Asked): Promise<Said>;
  start(args: readonly string[], asked?: Asked): Running;
  /** Writes the files into a clone of this name, and pushes it as `local/<name>`. Answers with its folder. */
  push(
    name: string,
    files: Readonly<Record<string, string>>,
  ): Promise<{ readonly clone: string; readonly commit: string; readonly remote: string }>;
};

export async function serve(given: Env = {}): Promise<Served> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'ame-test-cli-'));
  const env = { DATABASE_URL: database.url, PORT: '0', AME_GRACE: '1', PATH: process.env['PATH'], ...given };
  const data = join(folder, 'data');
  const server = await startServer(parseConfig(env), data, createLog('silent'));
  const surrounded = (asked: Asked = {}): Asked => ({
    cwd: folder,
    ...asked,
    env: { AME_DATA: data, ...asked.env },
  });
  return {
    server,
    folder,
    ame: (args, asked) => ame(args, surrounded(asked)),
    start: (args, asked) => startAme(args, surrounded(asked)),
    push: async (name, files) => {
      const clone = join(folder, name);
      await mkdir(clone, { recursive: true });
      await git(clone, 'init', '--quiet', '--initial-branch=main');
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(clone, path)), { recursive: true });
        await writeFile(join(clone, path), content);
      }
      await git(clone, 'add', '--all');
      await git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'a change');
      const pushed = await tryGit(clone, ['push', cloneAddress(server, 'local', name), 'HEAD:main']);
      if (pushed.code !== 0) throw new Error(pushed.err);
      const remote = [...pushed.err.matchAll(/^remote: (.*?)\s*$/gm)]
        .map(([, line]) => line ?? '')
        .join('\n');
      return { clone, commit: await git(clone, 'rev-parse', 'HEAD'), remote };
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
