import type { NewApp } from '../../github/manifest.ts';

/** Where GitHub shows an App to whoever may install it. */
export function appPageOf(githubUrl: string, app: Pick<NewApp, 'slug'> & Partial<NewApp>): string {
  const said = app.htmlUrl === undefined ? null : URL.parse(app.htmlUrl);
  // What is linked leads to GitHub, whatever an answer says.
  if (said && said.origin === new URL(githubUrl).origin) return said.href.replace(/\/+$/, '');
  // GitHub Enterprise Server has them below another path.
  const below = new URL(githubUrl).host === 'github.com' ? 'apps' : 'github-apps';
  return `${githubUrl}/${below}/${encodeURIComponent(app.slug)}`;
}

/** Where the App of this name is installed on an account, or on more of its repositories. */
export function installUrlOf(pageUrl: string): string {
  return `${pageUrl}/installations/new`;
}

/** Where an account lists the Apps that it owns. */
export function ownAppsUrl(githubUrl: string, organization: string | null): string {
  return organization === null
    ? `${githubUrl}/settings/apps`
    : `${githubUrl}/organizations/${encodeURIComponent(organization)}/settings/apps`;
}
