import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createActions, type Actions } from './github/actions.ts';
import { makeKey } from './github/app-operations.ts';
import { loadDescription } from './github/description.ts';
import { loadGraphql } from './github/graphql.ts';
import { createFakeServer } from './github/server.ts';
import type { FakeApp, FakeDelivery, FakeRequest, Permissions, World } from './github/world.ts';

export type FakeGithubOptions = {
  readonly now?: () => Date;
  /** The API stands under /api/v3, as on GitHub Enterprise Server, and deliveries are kept for seven days. */
  readonly enterprise?: boolean;
  /** Entries after which a recursive tree is truncated; 100,000 where unsaid. */
  readonly treeLimit?: number;
  /** ETags that change with the token, so that a conditional request costs again after an hour. */
  readonly etagPerToken?: boolean;
  /** Also delivers check_suite.requested with each push, and check_run.created and completed of the App itself. */
  readonly noise?: boolean;
  readonly permissions?: Permissions;
  readonly events?: readonly string[];
};

export type FakeGithub = AsyncDisposable &
  Actions & {
    readonly url: string;
    readonly webUrl: string;
    readonly app: FakeApp;
    hookUrl: string | null;
    readonly requests: FakeRequest[];
    readonly deliveries: readonly FakeDelivery[];
    readonly violations: readonly string[];
    /** For what no function above does. */
    readonly world: World;
  };

const allPermissions: Permissions = {
  metadata: 'read',
  contents: 'read',
  pull_requests: 'read',
  checks: 'write',
};
const allEvents = ['push', 'pull_request', 'merge_group', 'check_run', 'check_suite', 'repository'];

// Made once a process: it takes a tenth of a second, and no test cares which key it is.
let key: string | undefined;

/** A GitHub of its own on 127.0.0.1; see github/README.md. */
export async function createFakeGithub(options: FakeGithubOptions = {}): Promise<FakeGithub> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-github-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  key ??= makeKey();
  let ids = 900_000_000;
  const world: World = {
    now: options.now ?? (() => new Date()),
    description: await loadDescription(),
    directory,
    enterprise: options.enterprise ?? false,
    treeLimit: options.treeLimit ?? 100_000,
    etagPerToken: options.etagPerToken ?? false,
    noise: options.noise ?? false,
    url: '',
    webUrl: '',
    hookUrl: null,
    hookContentType: 'json',
    app: {
      id: '4711',
      clientId: 'Iv23liFakeClient',
      slug: 'ame-test',
      name: 'AME test',
      owner: { id: 1, login: 'ame-makers', type: 'Organization' },
      privateKey: key,
      webhookSecret: 'the secret of the webhook',
      permissions: options.permissions ?? allPermissions,
      events: options.events ?? allEvents,
    },
    accounts: new Map(),
    installations: [],
    repositories: [],
    tokens: new Map(),
    deliveries: [],
    drops: [],
    manifests: new Map(),
    requests: [],
    violations: [],
    faults: [],
    limits: new Map(),
    nextId: () => (ids += 1),
  };
  const server = createFakeServer(world, await loadGraphql());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.defer(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  world.webUrl = `http://127.0.0.1:${port}`;
  world.url = world.enterprise ? `${world.webUrl}/api/v3` : world.webUrl;
  const owned = undo.move();
  return {
    ...createActions(world),
    url: world.url,
    webUrl: world.webUrl,
    app: world.app,
    get hookUrl() {
      return world.hookUrl;
    },
    set hookUrl(url) {
      world.hookUrl = url;
    },
    requests: world.requests,
    deliveries: world.deliveries,
    violations: world.violations,
    world,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
