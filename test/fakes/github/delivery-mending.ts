/**
 * The public examples are of several years and several worlds. Here they become one world, with the fields that
 * GitHub has added since.
 */

export type Payload = { [key: string]: unknown };

export const owner = { login: 'north-sea', id: 6_752_317 };
export const repositoryId = 35_129_377;
export const installationId = 234;
export const appId = 4_711;

const names: readonly (readonly [string, string])[] = [
  ['Codertocat', 'north-sea'],
  ['Octocoders', 'north-sea'],
  ['octo-org', 'north-sea'],
  ['electron/electron', 'north-sea/wind-forecast'],
  ['github/hello-world', 'north-sea/wind-forecast'],
  ['Hello-World', 'wind-forecast'],
  ['hello-world', 'wind-forecast'],
  ['octo-repo', 'wind-forecast'],
];

export function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at a place of the payload; it must be there. */
export function part(payload: Payload, ...path: readonly string[]): Payload {
  let found: unknown = payload;
  for (const key of path) found = isObject(found) ? found[key] : undefined;
  if (!isObject(found)) throw new Error(`no ${path.join('.')} in the example`);
  return found;
}

export function mend(example: Payload): Payload {
  let text = JSON.stringify(example);
  for (const [from, to] of names) text = text.replaceAll(from, to);
  const payload = JSON.parse(text) as Payload;
  walk(payload);
  if (isObject(payload['sender']))
    Object.assign(payload['sender'], { login: 'ada', id: 21_031_067, type: 'User' });
  // A webhook of a repository tells no installation; a webhook of an App does.
  payload['installation'] ??= {
    id: installationId,
    node_id: 'MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMjM0',
  };
  return payload;
}

function walk(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) walk(item);
  if (!isObject(value)) return;
  if (typeof value['full_name'] === 'string' && 'clone_url' in value) mendRepository(value);
  if ('access_tokens_url' in value) mendInstallation(value);
  if ('verified' in value && 'signature' in value) value['verified_at'] ??= null;
  for (const item of Object.values(value)) walk(item);
}

function mendRepository(repository: Payload): void {
  if (repository['full_name'] === 'north-sea/wind-forecast') repository['id'] = repositoryId;
  repository['visibility'] ??= repository['private'] === true ? 'private' : 'public';
  repository['disabled'] ??= false;
  repository['has_discussions'] ??= false;
  repository['topics'] ??= [];
  if (repository['homepage'] === '') repository['homepage'] = null;
}

function mendInstallation(installation: Payload): void {
  Object.assign(installation, {
    id: installationId,
    app_id: appId,
    app_slug: 'ame',
    suspended_by: installation['suspended_by'] ?? null,
    suspended_at: installation['suspended_at'] ?? null,
  });
  for (const key of ['created_at', 'updated_at']) {
    const time = installation[key];
    if (typeof time === 'number')
      installation[key] = new Date(time * 1_000).toISOString().replace('.000Z', 'Z');
  }
}
