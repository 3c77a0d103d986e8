/** What the form of `/setup` asks for; a fault is one sentence for people. */
export type Asked =
  | { readonly publicUrl: string; readonly organization: string | null; readonly isPublic: boolean }
  | { readonly fault: string };

const longestUrl = 500;

/** Names of GitHub's accounts; those that a company manages have an underscore. */
const accountName = /^[a-z\d][a-z\d_-]{0,99}$/i;

/** Reads the form. `fixedUrl` is `AME_PUBLIC_URL`, beside which no other counts. */
export function readAsked(
  form: URLSearchParams,
  given: { readonly fixedUrl: string | null; readonly githubUrl: string },
): Asked {
  const publicUrl = readPublicUrl(given.fixedUrl ?? form.get('public_url') ?? '');
  if (publicUrl === null)
    return {
      fault: 'The public address must begin with https:// or http:// and have no password, `?` or `#`.',
    };
  // GitHub refuses such an address with words that nobody understands.
  if (isLoopback(publicUrl) && !isLoopback(given.githubUrl)) {
    const host = new URL(given.githubUrl).host;
    const change = given.fixedUrl === null ? '' : ' Change AME_PUBLIC_URL and start AME again.';
    return {
      fault: `${host} cannot reach ${publicUrl}: give the address that this server has from outside.${change}`,
    };
  }
  const organization = (form.get('organization') ?? '').trim().replace(/^@/, '');
  if (organization !== '' && !accountName.test(organization))
    return {
      fault: 'The organization is its name on GitHub, as in its address: letters, digits and hyphens.',
    };
  return {
    publicUrl,
    organization: organization === '' ? null : organization,
    isPublic: form.get('public') !== null,
  };
}

function readPublicUrl(text: string): string | null {
  const trimmed = text.trim();
  const url = trimmed.length <= longestUrl ? URL.parse(trimmed) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return null;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Only this machine itself can reach it. */
function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(localhost|.*\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/.test(hostname);
}
