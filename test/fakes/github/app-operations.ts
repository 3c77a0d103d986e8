import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { notFound, ok, refuse } from './answer.ts';
import { numberOf, page, repositoryOf, sees, tokenOf, type Ask, type Operate } from './ask.ts';
import { redeliver } from './deliver.ts';
import { bucketShape, limitsOf } from './limits.ts';
import { accountShape, appShape, installationShape, repositoryShape, timeShape } from './shapes.ts';
import { mintToken } from './tokens.ts';
import {
  grantedRepositories,
  installationOf,
  type FakeDelivery,
  type FakeInstallation,
  type Permissions,
} from './world.ts';

function installationAsked(ask: Ask): FakeInstallation {
  const id = Number(ask.params['installation_id']);
  return (
    ask.world.installations.find((installation) => installation.id === id && !installation.removed) ??
    notFound()
  );
}

function deliveryShape(delivery: FakeDelivery): object {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt.toISOString(),
    redelivery: delivery.redelivery,
    duration: 0.02,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

/** GitHub forgets deliveries after three days; its Enterprise Server after seven. */
function keptDeliveries({ world }: Ask): readonly FakeDelivery[] {
  const days = world.enterprise ? 7 : 3;
  const oldest = world.now().getTime() - days * 24 * 3_600_000;
  return world.deliveries.filter(({ deliveredAt }) => deliveredAt.getTime() >= oldest).toReversed();
}

function deliveryAsked(ask: Ask): FakeDelivery {
  const id = Number(ask.params['delivery_id']);
  return keptDeliveries(ask).find((delivery) => delivery.id === id) ?? notFound();
}

function hookConfig({ world }: Ask): object {
  return {
    content_type: world.hookContentType,
    insecure_ssl: '0',
    ...(world.app.webhookSecret === '' ? {} : { secret: '********' }),
    ...(world.hookUrl === null ? {} : { url: world.hookUrl }),
  };
}

type HookChange = { readonly url?: string; readonly secret?: string; readonly content_type?: string };

export const appOperations: Readonly<Record<string, Operate>> = {
  'apps/get-authenticated': ({ world }) =>
    ok({
      ...appShape(world),
      installations_count: world.installations.filter(({ removed }) => !removed).length,
    }),
  'apps/list-installations': (ask) => {
    const all = ask.world.installations.filter(({ removed }) => !removed);
    const { items, headers } = page(ask, '/app/installations', all);
    return ok(
      items.map((installation) => installationShape(ask.world, installation)),
      headers,
    );
  },
  'apps/get-installation': (ask) => ok(installationShape(ask.world, installationAsked(ask))),
  'apps/get-repo-installation': (ask) => {
    const { owner = '', repo = '' } = ask.params;
    const repository = ask.world.repositories.find(
      (one) => one.owner.login === owner && one.name === repo && !one.deleted,
    );
    const installation = repository && installationOf(ask.world, repository);
    return installation ? ok(installationShape(ask.world, installation)) : notFound();
  },
  'apps/create-installation-access-token': (ask) => {
    const { world } = ask;
    const token = mintToken(world, installationAsked(ask), ask.body ?? {});
    const only = token.repositories;
    return {
      status: 201,
      body: {
        token: token.value,
        expires_at: timeShape(token.expiresAt),
        permissions: token.permissions,
        repository_selection: only ? 'selected' : token.installation.repositorySelection,
        ...(only
          ? {
              repositories: grantedRepositories(world, token.installation)
                .filter((repository) => only.has(repository.id))
                .map((repository) => repositoryShape(world, repository)),
            }
          : {}),
      },
    };
  },
  'apps/get-webhook-config-for-app': (ask) => ok(hookConfig(ask)),
  'apps/update-webhook-config-for-app': (ask) => {
    const change = (ask.body ?? {}) as HookChange;
    if (change.url !== undefined) ask.world.hookUrl = change.url;
    if (change.secret !== undefined) ask.world.app.webhookSecret = change.secret;
    if (change.content_type !== undefined) ask.world.hookContentType = change.content_type;
    return ok(hookConfig(ask));
  },
  'apps/list-webhook-deliveries': (ask) => {
    const { query, world } = ask;
    const size = Math.min(100, numberOf(query.get('per_page'), 30));
    const status = query.get('status');
    const all = keptDeliveries(ask).filter(
      ({ statusCode }) =>
        status === null || (status === 'success') === (statusCode >= 200 && statusCode < 400),
    );
    const cursor = query.get('cursor');
    const match = cursor === null ? null : /^v1_(\d+)$/.exec(cursor);
    if (cursor !== null && !match) refuse(400, 'The cursor is invalid');
    const older = match ? all.filter(({ id }) => id < Number(match[1])) : all;
    const items = older.slice(0, size);
    const last = items.at(-1);
    const headers: Record<string, string> = {};
    if (last && older.length > size) {
      const next = new URLSearchParams(query);
      next.set('cursor', `v1_${last.id}`);
      headers['link'] = `<${world.url}/app/hook/deliveries?${next.toString()}>; rel="next"`;
    }
    return ok(items.map(deliveryShape), headers);
  },
  'apps/get-webhook-delivery': (ask) => {
    const delivery = deliveryAsked(ask);
    return ok({
      ...deliveryShape(delivery),
      url: ask.world.hookUrl ?? '',
      request: {
        headers: { 'X-GitHub-Event': delivery.event },
        payload: JSON.parse(delivery.body) as unknown,
      },
      response: { headers: {}, payload: null },
    });
  },
  'apps/redeliver-webhook-delivery': async (ask) => {
    await redeliver(ask.world, deliveryAsked(ask));
    return { status: 202, body: {} };
  },
  'apps/create-from-manifest': (ask) => {
    const { world } = ask;
    const code = ask.params['code'] ?? '';
    const confirmed = world.manifests.get(code);
    if (!confirmed) notFound();
    // A code is good for one conversion within an hour.
    world.manifests.delete(code);
    if (world.now().getTime() - confirmed.confirmedAt.getTime() > 3_600_000) notFound();
    const { manifest, owner } = confirmed;
    const { app } = world;
    app.name = manifest.name ?? 'ame';
    app.slug = app.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    app.owner = owner;
    app.id = String(world.nextId());
    app.clientId = `Iv23${randomBytes(8).toString('hex')}`;
    app.privateKey = makeKey();
    app.webhookSecret = randomBytes(20).toString('hex');
    app.permissions = { metadata: 'read', ...(manifest.default_permissions as Permissions | undefined) };
    app.events = manifest.default_events ?? [];
    world.hookUrl = manifest.hook_attributes?.url ?? null;
    return {
      status: 201,
      body: {
        ...appShape(world),
        client_secret: randomBytes(20).toString('hex'),
        webhook_secret: app.webhookSecret,
        pem: app.privateKey,
      },
    };
  },
  'apps/list-repos-accessible-to-installation': (ask) => {
    const token = tokenOf(ask);
    const all = grantedRepositories(ask.world, token.installation).filter((one) => sees(token, one));
    const { items, headers } = page(ask, '/installation/repositories', all);
    return ok(
      {
        total_count: all.length,
        repository_selection: token.installation.repositorySelection,
        repositories: items.map((repository) => repositoryShape(ask.world, repository)),
      },
      headers,
    );
  },
  'repos/get': (ask) => ok(repositoryShape(ask.world, repositoryOf(ask))),
  'repos/get-collaborator-permission-level': (ask) => {
    const { world } = ask;
    const repository = repositoryOf(ask);
    const login = ask.params['username'] ?? '';
    const account = world.accounts.get(login.toLowerCase());
    if (!account) notFound();
    const role =
      repository.permissions.get(login.toLowerCase()) ??
      (repository.visibility === 'public' ? 'read' : 'none');
    // GitHub's older word knows three levels; the role says which of five it is.
    const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
    return ok({
      permission,
      role_name: role,
      user: {
        ...accountShape(world, account),
        role_name: role,
        permissions: {
          admin: role === 'admin',
          maintain: role === 'admin' || role === 'maintain',
          push: permission === 'admin' || permission === 'write',
          triage: role !== 'read' && role !== 'none',
          pull: role !== 'none',
        },
      },
    });
  },
  'rate-limit/get': ({ world, auth }) => {
    if (auth.kind !== 'installation') {
      const full = {
        limit: 60,
        remaining: 60,
        used: 0,
        reset: Math.ceil(world.now().getTime() / 1_000) + 3_600,
      };
      return ok({ resources: { core: full, search: full, graphql: full }, rate: full });
    }
    const { core, graphql } = limitsOf(world, auth.token.installation.id);
    const shape = bucketShape(core);
    return ok({ resources: { core: shape, search: shape, graphql: bucketShape(graphql) }, rate: shape });
  },
  'meta/get': ({ world }) =>
    ok({
      verifiable_password_authentication: false,
      hooks: ['127.0.0.0/8'],
      ...(world.enterprise ? { installed_version: '3.19.0' } : {}),
    }),
};

/** A key as GitHub makes one. 2048 bits take about a tenth of a second. */
export function makeKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}
