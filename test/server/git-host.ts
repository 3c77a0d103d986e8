import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { repositoryDirectory } from '../../src/git/host.ts';
import type { RefCommand } from '../../src/git/receive-commands.ts';
import { createGitDoor, type GitDoorDeps, type HostedRepository } from '../../src/server/git.ts';
import { basicPassword } from '../../src/server/git-exchange.ts';
import { scratch } from '../git/real-git.ts';

export type RecordedPush = {
  readonly repositoryId: number;
  readonly refs: readonly RefCommand[];
  readonly head: string | null;
};

/** A running Git host with rows in memory. `deps` may be changed while it runs. */
export type GitHost = {
  readonly url: string;
  /** With the token in it, as the printed clone address has it. */
  address(owner: string, name: string): string;
  readonly directory: string;
  readonly pushes: RecordedPush[];
  readonly failures: unknown[];
  readonly repositories: Map<string, HostedRepository>;
  readonly deps: { -readonly [K in keyof GitDoorDeps]: GitDoorDeps[K] };
  [Symbol.asyncDispose](): Promise<void>;
};

export const token = 'a-token';

export async function startGitHost(): Promise<GitHost> {
  const temporary = await scratch();
  const repositories = new Map<string, HostedRepository>();
  const pushes: RecordedPush[] = [];
  const failures: unknown[] = [];
  const deps: GitHost['deps'] = {
    authorize: (request) => basicPassword(request) === token,
    findRepository: async ({ owner, name }) => repositories.get(`${owner}/${name}`) ?? null,
    findOrCreateRepository: async ({ owner, name }) => {
      const id = repositories.size + 1;
      const found = repositories.get(`${owner}/${name}`);
      const repository = found ?? {
        id,
        directory: repositoryDirectory(join(temporary.path, 'repositories'), id),
      };
      repositories.set(`${owner}/${name}`, repository);
      return repository;
    },
    recordPush: async (repositoryId, refs, head) => {
      pushes.push({ repositoryId, refs, head });
      return refs.map((_ref, index) => `delivery-${pushes.length}-${index}`);
    },
    decisionLines: async function* (ids) {
      for (const id of ids) yield `decided ${id}`;
    },
    ready: async () => true,
    failed: (error) => failures.push(error),
  };
  const door = createGitDoor(deps);
  const { promise: listening, resolve } = Promise.withResolvers<AddressInfo>();
  const server = serve(
    { fetch: door.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false },
    resolve,
  );
  const { port } = await listening;
  const origin = `127.0.0.1:${port}`;
  return {
    url: `http://${origin}`,
    address: (owner, name) => `http://ame:${token}@${origin}/git/${owner}/${name}.git`,
    directory: temporary.path,
    pushes,
    failures,
    repositories,
    deps,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((done) => {
        server.close(() => done());
      });
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
      await temporary[Symbol.asyncDispose]();
    },
  };
}
