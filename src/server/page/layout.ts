import { html, raw } from 'hono/html';
import { browserLive } from './browser-live.ts';
import { browserText } from './browser-text.ts';
import { said, type Html } from './pieces.ts';
import { style } from './style.ts';

/** What a page says, without the frame that all pages have. */
export type View = {
  readonly title: string;
  readonly main: Html;
  /** Milliseconds until the page asks for itself again; `null`: nothing on it changes any more. */
  readonly poll: number | null;
  /** Of ours, run once after the page has been read. */
  readonly script?: string;
};

/** The part of a page that changes. A script that asks again puts it in the place of what it has. */
export function mainOf({ title, main, poll }: View): Html {
  return html`<main
    id="main"
    data-title="${said(title)} · AME"
    data-now="${Date.now()}"
    ${poll === null ? '' : html`data-poll="${poll}"`}
  >
    ${main}
  </main>`;
}

/** A whole document. `nonce` lets its own style and script pass the policy that refuses all others. */
export function documentOf(view: View, nonce: string): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${said(view.title)} · AME</title>
        <link
          rel="icon"
          href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%233557c9'/%3E%3Cpath d='M4 11 8 4l4 7M5.7 8.8h4.6' fill='none' stroke='white' stroke-width='1.6' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E"
        />
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body>
        ${signs}
        <a class="skip" href="#main">Skip to the content</a>
        <nav aria-label="AME"><a class="mark" href="/">AME</a><span id="word" role="status"></span></nav>
        ${mainOf(view)}
        <script nonce="${nonce}">
          ${raw(browserText)}${raw(browserLive)};
          ${raw(view.script ?? '')};
        </script>
      </body>
    </html>`;
}

/** The drawings of states and severities, each used by its name. */
const signs = raw(`<svg hidden aria-hidden="true" xmlns="http://www.w3.org/2000/svg">
<symbol id="succeeded" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="m5 8.2 2.1 2.1L11 6.2"/></symbol>
<symbol id="failed" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/></symbol>
<symbol id="error" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/></symbol>
<symbol id="cancelled" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="M5 8h6"/></symbol>
<symbol id="skipped" viewBox="0 0 16 16"><circle class="open" cx="8" cy="8" r="6.2"/><path class="own" d="M5.5 8h5"/></symbol>
<symbol id="running" viewBox="0 0 16 16"><circle class="open faint" cx="8" cy="8" r="6.2"/><path class="own" d="M8 1.8A6.2 6.2 0 0 1 14.2 8"/></symbol>
<symbol id="queued" viewBox="0 0 16 16"><circle class="open" cx="8" cy="8" r="6.2"/><path class="own" d="M8 4.8V8l2 1.6"/></symbol>
<symbol id="waiting" viewBox="0 0 16 16"><circle class="open dashed" cx="8" cy="8" r="6.2"/></symbol>
<symbol id="warning" viewBox="0 0 16 16"><path class="full" d="M8 1.2 15.4 14H.6z"/><path d="M8 6v3.6m0 2v.2"/></symbol>
<symbol id="notice" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="M8 7.4v4M8 4.6v.2"/></symbol>
</svg>`);
