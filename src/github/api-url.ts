/** Where a GitHub that people know by `webUrl` has its API. */
export function apiUrlOf(webUrl: string): string {
  const url = new URL(webUrl);
  const host = url.host.toLowerCase().replace(/^www\./, '');
  // Enterprise Cloud with data residency has its own subdomain, and the API before it.
  if (host === 'github.com' || host.endsWith('.ghe.com')) return `${url.protocol}//api.${host}`;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/api/v3`;
}
