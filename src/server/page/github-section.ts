import { html } from 'hono/html';
import type { Found, FoundInstallation, FoundRepository } from '../found.ts';
import { installUrlOf } from '../setup/app-page.ts';
import { count, moment, prose, said, type Html } from './pieces.ts';

/** Repositories of one account that the page lists; `ame github` lists all. */
const mostRepositories = 20;

/** What was found on GitHub: who installed the App, their repositories, and which of them have a project. */
export function githubSection({ app, installations }: Found): Html {
  if (app === null)
    return html`<p class="muted">
      <a href="/setup">Connect GitHub</a>, so that commits there are answered.
    </p>`;
  const here = installations.filter(({ removedAt }) => removedAt === null).length;
  return html`<section aria-labelledby="github-title">
    <h2 id="github-title">GitHub <small>${count(here, 'account')}</small></h2>
    ${
      here === 0
        ? html`<p>
            The App is installed nowhere
            yet.${app.url === null ? '' : html` <a href="${installUrlOf(app.url)}">Install it</a> on an account.`}
          </p>`
        : ''
    }
    ${installations.map(installationPart)}
  </section>`;
}

function installationPart(installation: FoundInstallation): Html {
  const { account, suspendedAt, removedAt, lastError, repositories } = installation;
  const shown = removedAt === null ? repositories.toSorted(byWorth).slice(0, mostRepositories) : [];
  const left = repositories.length - shown.length;
  return html`<div class="account">
    <h3>
      ${said(account)}
      <small
        >${
          removedAt !== null
            ? html`removed ${moment(removedAt)}`
            : suspendedAt !== null
              ? 'suspended'
              : count(repositories.length, 'repository', 'repositories')
        }</small
      >
    </h3>
    ${lastError === null ? '' : html`<p class="reason">${prose(lastError)}</p>`}
    ${
      shown.length === 0
        ? ''
        : html`<table class="projects">
            <thead>
              <tr>
                <th scope="col">Repository</th>
                <th scope="col">Project</th>
                <th scope="col">Access</th>
              </tr>
            </thead>
            <tbody>
              ${shown.map(repositoryRow)}
            </tbody>
          </table>`
    }
    ${removedAt !== null || left === 0 ? '' : html`<p class="muted">…and ${count(left, 'more repository', 'more repositories')}: <code>ame github</code> lists all.</p>`}
  </div>`;
}

/** What has a project or a trouble comes first. */
function byWorth(a: FoundRepository, b: FoundRepository): number {
  const worth = ({ project, lastError }: FoundRepository): number =>
    lastError === null ? (project === null ? 2 : 1) : 0;
  return worth(a) - worth(b);
}

function repositoryRow({ owner, name, access, project, defaultBranch, lastError }: FoundRepository): Html {
  return html`<tr>
    <th scope="row">
      ${said(`${owner}/${name}`)}${lastError === null ? '' : html`<p class="reason">${prose(lastError)}</p>`}
    </th>
    <td>
      ${
        project === null
          ? html`<span class="muted"
              >no valid ame.yaml${defaultBranch === null ? '' : html` on ${said(defaultBranch)}`}</span
            >`
          : html`<a href="/?project=${encodeURIComponent(project)}">${said(project)}</a>`
      }
    </td>
    <td>${access}</td>
  </tr>`;
}
