import { html } from 'hono/html';
import type { View } from '../page/layout.ts';
import { prose, said, type Html } from '../page/pieces.ts';
import { installUrlOf } from './app-page.ts';
import type { MadeApp } from './sessions.ts';
import { link, setupView } from './setup-view.ts';

/** The App is there: what is left to do. */
export function doneView(app: MadeApp, fixedUrl: string | null): View {
  const { name, owner, pageUrl, publicUrl, trouble } = app;
  return setupView(
    `${name} is connected`,
    html`${
        trouble === null
          ? html`<p>
              AME is the App ${link(pageUrl, name)} of ${said(owner)}: key and secret are stored, and GitHub
              knows them.
            </p>`
          : html`<p class="fault" role="alert">
              The App ${link(pageUrl, name)} is stored, but GitHub did not take its key yet: ${prose(trouble)}
              <code>ame github check</code> tries again.
            </p>`
      }
      <section aria-labelledby="next-title">
        <h2 id="next-title">What to do next</h2>
        <ol>
          ${
            fixedUrl === null
              ? html`<li>
                  Set <code>AME_PUBLIC_URL=${said(publicUrl)}</code> in the server's environment and start AME
                  again.
                </li>`
              : ''
          }
          <li>
            <a class="main" href="${installUrlOf(pageUrl)}">Install it</a> on an account, for all or some of
            its repositories.
          </li>
          <li>${sample()}</li>
          <li>
            <a href="/">All runs</a> shows what was found there; <code>ame github check</code> says what is
            wrong, if anything is.
          </li>
        </ol>
      </section>`,
  );
}

/** Where GitHub sends whoever has installed the App, token or not. */
export function installedView(): View {
  return setupView(
    'The App is installed',
    html`<p>
        AME reads <code>ame.yaml</code> on the default branches now, and answers on their head commits.
      </p>
      <section>${sample()}</section>
      <p><a href="/">What AME found</a>, for whoever has its token.</p>`,
  );
}

function sample(): Html {
  return html`<p>Commit an <code>ame.yaml</code> to the root of a repository, and every push is answered:</p>
    <pre tabindex="0">
projectname: spam
on: push
tasks:
  main: python train.py</pre>`;
}

/** No App was made that could be used. */
export function failureView(reason: string, ownApps: string | null): View {
  return setupView(
    'No App was made',
    html`<p class="fault" role="alert">${prose(reason)}</p>
      <p>Nothing was stored.</p>
      ${
        ownApps === null
          ? ''
          : html`<p>
              If GitHub ${link(ownApps, 'lists a new App')} all the same, delete it there: its key went lost
              on the way.
            </p>`
      }
      <form method="get" action="/setup"><button class="main">Try again</button></form>`,
  );
}

/** There is an App, and this page makes no other. */
export function closedView(): View {
  return setupView(
    'GitHub is connected',
    html`<p>This server is a GitHub App already, so that nothing is set up here any more.</p>
      <p>
        <a href="/">All runs</a> shows where it is installed; <code>ame github check</code> says what is
        wrong, if anything is.
      </p>`,
  );
}

/** What could not be done at all, and why. */
export function troubleView(reason: string): View {
  return setupView('This did not work', html`<p class="fault" role="alert">${prose(reason)}</p>`);
}
