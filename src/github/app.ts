import { asApp } from './connect.ts';
import type { Github } from './connection.ts';
import { GithubGoneError } from './errors.ts';

/** The App as GitHub has it. */
export type App = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly owner: string;
  /** `User`, `Organization` or `Enterprise`. */
  readonly ownerType: string;
  /** What every new installation is asked for. */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly htmlUrl: string;
  /** GitHub's clock when it answered; null where it did not say. */
  readonly serverTime: Date | null;
};

/** Where GitHub delivers to, and how. */
export type HookConfig = {
  readonly url: string;
  readonly contentType: string;
  /** GitHub tells whether there is a secret, never which. */
  readonly hasSecret: boolean;
  readonly verifiesCertificate: boolean;
};

/** Reads the App with its own key: the first call that tells a wrong key, id or clock. */
export async function readApp(github: Github): Promise<App> {
  const { data, headers } = await asApp(github, 'GET /app', {});
  if (data === null) throw new GithubGoneError('GitHub knows no App by this key');
  const { owner, slug = '' } = data;
  const date = Date.parse(String(headers.date ?? ''));
  return {
    id: String(data.id),
    slug,
    name: data.name,
    owner: 'login' in owner ? owner.login : owner.slug,
    ownerType: 'type' in owner ? owner.type : 'Enterprise',
    permissions: levelsOf(data.permissions),
    events: data.events,
    htmlUrl: data.html_url,
    serverTime: Number.isNaN(date) ? null : new Date(date),
  };
}

export async function readHookConfig(github: Github): Promise<HookConfig> {
  const { data } = await asApp(github, 'GET /app/hook/config', {});
  return {
    url: data.url ?? '',
    contentType: data.content_type ?? 'form',
    hasSecret: (data.secret ?? '') !== '',
    verifiesCertificate: String(data.insecure_ssl ?? '0') !== '1',
  };
}

function levelsOf(permissions: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const levels: Record<string, string> = {};
  for (const [name, level] of Object.entries(permissions)) if (level !== undefined) levels[name] = level;
  return levels;
}
