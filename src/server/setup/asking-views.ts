import { html } from 'hono/html';
import { eventNeeds, permissionNeeds } from '../../github/permissions.ts';
import type { Manifest } from '../../github/manifest.ts';
import type { View } from '../page/layout.ts';
import { said, type Html } from '../page/pieces.ts';
import { faultOf, setupView } from './setup-view.ts';

/** Asks for the token, which a link cannot bring along. */
export function tokenView(fault: string | null): View {
  return setupView(
    'Connect GitHub',
    html`<p>
        AME answers on GitHub as an App of your own. Making one takes the token that this server printed at
        its first start: it stands behind <code>?token=</code> in the address of the page, and in the file
        <code>token</code> of the data directory.
      </p>
      <form method="post" action="/setup" class="sheet">
        ${faultOf(fault)}
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="off" required autofocus />
        <button class="main">Go on</button>
      </form>`,
  );
}

export type Choices = {
  /** `AME_PUBLIC_URL`; null where it is not set. */
  readonly fixedUrl: string | null;
  readonly publicUrl: string;
  readonly organization: string;
  readonly isPublic: boolean;
  /** The host of the GitHub that is meant. */
  readonly github: string;
};

/** Asks for the address and for whose the App shall be. */
export function choiceView(choices: Choices, fault: string | null): View {
  const { organization, isPublic, github } = choices;
  return setupView(
    'Connect GitHub',
    html`<p>
        One button makes a GitHub App with what AME needs. ${said(github)} shows it to you before it is made
        and sends you back here; its key and its secret are stored encrypted. Be signed in there in this
        browser.
      </p>
      <form method="post" action="/setup/app" class="sheet">
        ${faultOf(fault)} ${addressField(choices)}
        <label for="organization"
          >Organization that owns the App <small>empty: your own account</small></label
        >
        <input
          id="organization"
          name="organization"
          value="${organization}"
          placeholder="acme"
          autocomplete="off"
          spellcheck="false"
        />
        <p class="choice">
          <input id="public" name="public" type="checkbox" ${isPublic ? 'checked' : ''} />
          <label for="public"
            >Other accounts may install it too
            <small>otherwise only the owner; it can be changed on GitHub at any time</small></label
          >
        </p>
        <button class="main">Make the App on GitHub</button>
      </form>
      ${needs()}`,
  );
}

function addressField({ fixedUrl, publicUrl }: Choices): Html {
  if (fixedUrl !== null)
    return html`<label for="public-url">Public address <small>AME_PUBLIC_URL</small></label>
      <input id="public-url" name="public_url" type="url" value="${fixedUrl}" readonly />
      <p class="hint">
        GitHub delivers to it, and links in checks lead there. If it is another one, set
        <code>AME_PUBLIC_URL</code> and start AME again first.
      </p>`;
  return html`<label for="public-url">Public address</label>
    <input
      id="public-url"
      name="public_url"
      type="url"
      value="${publicUrl}"
      placeholder="https://ame.example.com"
      required
      autofocus
      spellcheck="false"
    />
    <p class="hint">
      The address by which GitHub and people reach this server: GitHub delivers to it.
      <strong>It is not kept here.</strong> Set <code>AME_PUBLIC_URL</code> to it in the server's environment
      and start AME again, so that links in checks lead there too.
    </p>`;
}

/** What is asked of whoever installs the App, before anybody is asked. */
function needs(): Html {
  return html`<section aria-labelledby="needs-title">
    <h2 id="needs-title">What the App asks for</h2>
    <table class="needs">
      <thead>
        <tr>
          <th scope="col">Permission</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        ${permissionNeeds.map(
          ({ permission, level, why }) =>
            html`<tr>
              <th scope="row"><code>${permission}: ${level}</code></th>
              <td>${why}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="muted">Events: ${eventNeeds.map(({ event }) => event).join(', ')}.</p>
  </section>`;
}

/** Carries the manifest to GitHub: by itself where a script runs, else by its button. */
export function departureView(to: { readonly url: string; readonly manifest: Manifest }): View {
  const host = new URL(to.url).host;
  return setupView(
    'On to GitHub',
    html`<form id="departure" method="post" action="${to.url}" class="sheet">
      <input type="hidden" name="manifest" value="${JSON.stringify(to.manifest)}" />
      <p>Your browser takes the description of the App to ${said(host)}, where you confirm it.</p>
      <button class="main">Go to ${said(host)}</button>
    </form>`,
    "document.getElementById('departure').submit();",
  );
}
