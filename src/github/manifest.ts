import { z } from 'zod';
import { connectGithub } from './connect.ts';
import { GithubRefusedError } from './errors.ts';
import { eventNeeds, neededPermissions, type PermissionLevel } from './permissions.ts';
import { perform } from './send.ts';

export type ManifestOptions = {
  /** Where GitHub and people reach this server, without a slash at its end. */
  readonly publicUrl: string;
  /** Of the App: at most 34 characters, and nobody else's. */
  readonly name: string;
  /** Whether accounts other than the App's owner may install it. */
  readonly isPublic?: boolean;
  /** Where GitHub sends the browser with the `code` to convert. */
  readonly redirectUrl?: string;
  /** Where GitHub sends the browser after an installation. */
  readonly setupUrl?: string;
};

export type Manifest = {
  readonly name: string;
  readonly url: string;
  readonly public: boolean;
  readonly hook_attributes: { readonly url: string; readonly active: true };
  readonly redirect_url: string;
  readonly setup_url?: string;
  readonly default_permissions: Readonly<Record<string, PermissionLevel>>;
  readonly default_events: readonly string[];
};

/** What an App's owner gets back, once, for the code that GitHub gave the browser. */
export type NewApp = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly owner: string;
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly clientId: string;
  readonly htmlUrl: string;
};

const longestName = 34;

/** Where GitHub delivers to. */
export function webhookUrlOf(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/webhooks/github`;
}

/**
 * The App that GitHub is asked to make, with no more than the table of permissions says.
 * https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
export function manifestOf({
  publicUrl,
  name,
  isPublic = false,
  redirectUrl,
  setupUrl,
}: ManifestOptions): Manifest {
  const url = publicUrl.replace(/\/+$/, '');
  return {
    name: Array.from(name).slice(0, longestName).join(''),
    url,
    public: isPublic,
    hook_attributes: { url: webhookUrlOf(url), active: true },
    redirect_url: redirectUrl ?? `${url}/setup/created`,
    ...(setupUrl === undefined ? {} : { setup_url: setupUrl }),
    default_permissions: neededPermissions(),
    default_events: eventNeeds.map(({ event }) => event),
  };
}

/** The page to which a browser posts the manifest, as the form field `manifest`. `state` comes back with the code. */
export function newAppUrl(webUrl: string, organization: string | null, state: string): string {
  const owner = organization === null ? '' : `/organizations/${encodeURIComponent(organization)}`;
  return `${webUrl.replace(/\/+$/, '')}${owner}/settings/apps/new?state=${encodeURIComponent(state)}`;
}

const conversion = z.object({
  id: z.number(),
  slug: z.string().optional(),
  name: z.string(),
  owner: z.union([z.object({ login: z.string() }), z.object({ slug: z.string() })]),
  pem: z.string(),
  webhook_secret: z.string().nullable(),
  client_id: z.string(),
  html_url: z.string(),
});

/**
 * Exchanges the code for the App's key and secret: within an hour, and once. Throws `GithubGoneError` for a code
 * that is over, and `GithubRefusedError` where GitHub made an App without a secret, which could never be trusted.
 */
export async function convertManifest(options: {
  readonly apiUrl: string;
  readonly code: string;
  readonly timeout?: () => AbortSignal;
}): Promise<NewApp> {
  const { code, ...address } = options;
  const github = connectGithub({ ...address, app: { id: '', privateKey: '' }, webUrl: options.apiUrl });
  const route = 'POST /app-manifests/{code}/conversions';
  const { data } = await perform(
    github,
    { method: 'POST', url: '/app-manifests/{code}/conversions', code },
    { installationId: null, limit: '', scope: '', authorization: null, route },
  );
  const app = conversion.parse(data);
  if (app.webhook_secret === null || app.webhook_secret === '') {
    throw new GithubRefusedError('GitHub made the App without a webhook secret', 201);
  }
  return {
    id: String(app.id),
    slug: app.slug ?? '',
    name: app.name,
    owner: 'login' in app.owner ? app.owner.login : app.owner.slug,
    privateKey: app.pem,
    webhookSecret: app.webhook_secret,
    clientId: app.client_id,
    htmlUrl: app.html_url,
  };
}
