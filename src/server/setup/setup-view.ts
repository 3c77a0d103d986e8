import { html } from 'hono/html';
import type { View } from '../page/layout.ts';
import { prose, said, type Html } from '../page/pieces.ts';

/** A page of `/setup`; none of them changes by itself. */
export function setupView(title: string, content: Html, script?: string): View {
  return {
    title,
    poll: null,
    main: html`<header><h1>${said(title)}</h1></header>
      <div class="prose">${content}</div>`,
    ...(script === undefined ? {} : { script }),
  };
}

/** What is wrong with what was sent, above the form. */
export function faultOf(fault: string | null): Html | '' {
  return fault === null ? '' : html`<p class="fault" role="alert">${prose(fault)}</p>`;
}

export function link(url: string, text: string): Html {
  return html`<a href="${url}">${said(text)}</a>`;
}
