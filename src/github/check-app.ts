import { readApp, readHookConfig, type App, type HookConfig } from './app.ts';
import type { Github } from './connection.ts';
import { GithubAwayError, GithubGoneError, GithubRefusedError } from './errors.ts';
import { listHookDeliveries, type HookDelivery } from './hook-deliveries.ts';
import { listInstallations, type Installation } from './installations.ts';
import { webhookUrlOf } from './manifest.ts';
import { missingEvents, missingPermissions } from './permissions.ts';

/** One thing that must be right for AME to work on GitHub; `remedy` is null where it is. */
export type Finding = {
  readonly what: 'github' | 'key' | 'clock' | 'permissions' | 'events' | 'webhook' | 'secret' | 'address';
  readonly ok: boolean;
  readonly message: string;
  readonly remedy: string | null;
};

export type CheckAppOptions = {
  /** `AME_PUBLIC_URL`; null where it is not set. */
  readonly publicUrl: string | null;
};

/** More is a matter of luck: a JWT of ours is good one minute before and after its time. */
const mostSkewSeconds = 30;
const deliveriesLookedAt = 30;
const lookedBackMs = 24 * 3_600_000;

/**
 * Everything that `ame github check` says: asks GitHub about the App, its webhook, what came of its last deliveries,
 * and what each installation grants. What stops all the rest, such as a wrong key, is told alone.
 */
export async function checkApp(github: Github, options: CheckAppOptions): Promise<readonly Finding[]> {
  try {
    const app = await readApp(github);
    const settings = settingsOf(github, app);
    const hook = await readHookConfig(github);
    return [
      right('key', `GitHub knows the App ${app.name} (id ${app.id}) of ${app.owner}`),
      checkClock(github, app),
      ...checkPermissions(app, settings),
      ...(await checkInstallations(github)),
      checkEvents(app, settings),
      ...checkHook(hook, options.publicUrl, settings),
      ...(await checkDeliveries(github, hook)),
    ];
  } catch (error) {
    return [explain(github, error)];
  }
}

function explain(github: Github, error: unknown): Finding {
  if (error instanceof GithubAwayError) {
    const remedy = `Look whether ${github.apiUrl} can be reached from this server; AME_GITHUB_URL names another GitHub`;
    return wrong('github', error.message, remedy);
  }
  if (error instanceof GithubRefusedError && error.message.includes("This server's clock")) {
    return wrong('clock', error.message, 'Let the clock be set by a time service (NTP)');
  }
  if (error instanceof GithubRefusedError || error instanceof GithubGoneError) {
    const remedy = `Set AME_GITHUB_APP_ID and AME_GITHUB_PRIVATE_KEY to an App of ${github.webUrl} and a key of its page`;
    return wrong('key', error.message, remedy);
  }
  throw error;
}

function checkClock(github: Github, { serverTime }: App): Finding {
  if (serverTime === null) return right('clock', 'GitHub did not say what time it has');
  const ahead = Math.round((github.clock().getTime() - serverTime.getTime()) / 1000);
  if (Math.abs(ahead) <= mostSkewSeconds) return right('clock', "The clock agrees with GitHub's");
  const message = `This server's clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} GitHub's`;
  return wrong('clock', message, 'Let the clock be set by a time service (NTP)');
}

function checkPermissions(app: App, settings: string): readonly Finding[] {
  const missing = missingPermissions(app.permissions);
  if (missing.length === 0) return [right('permissions', 'The App asks for all permissions that AME needs')];
  return missing.map(({ permission, level, why }) =>
    wrong(
      'permissions',
      `The App does not ask for ${permission}: ${level}. ${why}`,
      `Add it at ${settings}/permissions`,
    ),
  );
}

function checkEvents(app: App, settings: string): Finding {
  const missing = missingEvents(app.events).map(({ event }) => event);
  if (missing.length === 0) return right('events', 'The App subscribes to all events that AME needs');
  const message = `The App does not subscribe to ${missing.join(', ')}`;
  return wrong('events', message, `Tick them at ${settings}/permissions, below the permissions`);
}

async function checkInstallations(github: Github): Promise<readonly Finding[]> {
  const installations = await listInstallations(github);
  if (installations.length === 0) return [right('permissions', 'The App is installed nowhere yet')];
  return installations.map((installation) => {
    const { account, permissions, suspendedAt } = installation;
    const page = pageOf(github, installation);
    if (suspendedAt)
      return wrong('permissions', `The installation on ${account.login} is suspended`, `See ${page}`);
    const missing = missingPermissions(permissions).map(({ permission, level }) => `${permission}: ${level}`);
    if (missing.length === 0) return right('permissions', `The installation on ${account.login} grants them`);
    const message = `The installation on ${account.login} does not grant ${missing.join(', ')}`;
    return wrong('permissions', message, `An owner of ${account.login} accepts them at ${page}`);
  });
}

function checkHook(hook: HookConfig, publicUrl: string | null, settings: string): readonly Finding[] {
  const secret = hook.hasSecret
    ? right('secret', 'GitHub signs what it delivers')
    : wrong(
        'secret',
        'The webhook of the App has no secret: nothing that it delivers is believed',
        `Set the same secret at ${settings} and in AME_GITHUB_WEBHOOK_SECRET`,
      );
  return [checkHookAddress(hook, publicUrl, settings), checkHookForm(hook, settings), secret];
}

function checkHookAddress({ url }: HookConfig, publicUrl: string | null, settings: string): Finding {
  if (publicUrl === null) {
    const message = `AME_PUBLIC_URL is not set; GitHub delivers to ${url || 'no address'}`;
    return wrong(
      'address',
      message,
      'Set AME_PUBLIC_URL to the address by which GitHub and people reach this server',
    );
  }
  const expected = webhookUrlOf(publicUrl);
  if (URL.parse(url)?.href === URL.parse(expected)?.href)
    return right('address', `GitHub delivers to ${url}`);
  const message = `GitHub delivers to ${url || 'no address'}, not to ${expected}`;
  return wrong('address', message, `Set the webhook's address at ${settings}, or AME_PUBLIC_URL`);
}

function checkHookForm({ contentType, verifiesCertificate }: HookConfig, settings: string): Finding {
  if (contentType !== 'json') {
    const message = `GitHub delivers as ${contentType}; AME reads JSON only`;
    return wrong('webhook', message, `Choose the content type application/json at ${settings}`);
  }
  if (!verifiesCertificate) {
    const message = 'GitHub does not verify the certificate of this server';
    return wrong('webhook', message, `Enable SSL verification at ${settings}`);
  }
  return right('webhook', 'GitHub delivers as JSON');
}

/** The newest attempt tells how things are now; what failed before it is over. */
async function checkDeliveries(github: Github, hook: HookConfig): Promise<readonly Finding[]> {
  const since = new Date(github.clock().getTime() - lookedBackMs);
  const failed: HookDelivery[] = [];
  for await (const delivery of listHookDeliveries(github, { since })) {
    const { statusCode } = delivery;
    if (statusCode >= 200 && statusCode < 300) break;
    failed.push(delivery);
    if (failed.length === deliveriesLookedAt) break;
  }
  const [newest] = failed;
  if (!newest) return [right('webhook', 'No delivery failed lately')];
  const { status, statusCode } = newest;
  const said = `The last ${failed.length === 1 ? 'delivery' : `${failed.length} deliveries`} failed: ${statusCode === 0 ? status : `${statusCode} ${status}`}`;
  if (statusCode === 401) {
    const remedy = 'Set AME_GITHUB_WEBHOOK_SECRET to the secret of the App, or give the App this one';
    return [wrong('secret', `${said}. The signature was made with another secret`, remedy)];
  }
  if (statusCode === 503) {
    return [wrong('webhook', `${said}. AME had no secret or no database`, 'See the log of the server')];
  }
  if (statusCode === 0 || statusCode >= 500) {
    const remedy = `Look whether ${hook.url} can be reached from GitHub: name, firewall, certificate, proxy`;
    return [wrong('address', said, remedy)];
  }
  const remedy = `Look whether ${hook.url} leads to AME and not to something before it`;
  return [wrong('webhook', said, remedy)];
}

/** Where the App's owner changes it. */
function settingsOf(github: Github, { slug, owner, ownerType }: App): string {
  return `${github.webUrl}${ownedBy(owner, ownerType)}/settings/apps/${slug}`;
}

function pageOf(github: Github, { id, account }: Installation): string {
  return `${github.webUrl}${ownedBy(account.login, account.type)}/settings/installations/${id}`;
}

function ownedBy(login: string, type: string): string {
  return type === 'Organization' ? `/organizations/${login}` : '';
}

function right(what: Finding['what'], message: string): Finding {
  return { what, ok: true, message, remedy: null };
}

function wrong(what: Finding['what'], message: string, remedy: string): Finding {
  return { what, ok: false, message, remedy };
}
