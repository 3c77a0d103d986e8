import { html } from 'hono/html';
import { showDuration } from '../../core/check/amounts.ts';
import { plainLine } from '../../core/escape.ts';
import type { AttemptState } from '../../core/run.ts';

/** Markup in which everything that came from outside is escaped. */
export type Html = ReturnType<typeof html>;

/** One line of a user's text: what would act instead of being read is shown. The template escapes it. */
export function said(text: string): string {
  return plainLine(text);
}

/** A message, with what stands between backticks as code. */
export function prose(text: string): Html {
  const parts = plainLine(text).split('`');
  // An odd backtick at the end has no partner and is text.
  const paired = parts.length % 2 === 1 ? parts.length : parts.length - 1;
  return html`${parts.map((part, at) => {
    if (at >= paired) return `\`${part}`;
    return at % 2 === 0 ? part : html`<code>${part}</code>`;
  })}`;
}

/** A state with its sign; the word says it without colour. */
export function stateMark(state: AttemptState): Html {
  return html`<span class="state ${state}">${sign(state)}${state}</span>`;
}

/** One of the drawings that the layout carries. */
export function sign(name: string): Html {
  return html`<svg class="sign ${name}" aria-hidden="true"><use href="#${name}"></use></svg>`;
}

/** A point in time: in full where no script runs, as the time that has passed where one does. */
export function moment(date: Date): Html {
  const iso = date.toISOString();
  return html`<time datetime="${iso}" data-ago="${date.getTime()}"
    >${iso.slice(0, 16).replace('T', ' ')} UTC</time
  >`;
}

/** A time that something took, or takes: then it goes on counting where a script runs. */
export function took(from: Date | null, to: Date | null, now: Date): Html | '' {
  if (from === null) return '';
  const seconds = ((to ?? now).getTime() - from.getTime()) / 1_000;
  if (to !== null) return html`${showDuration(seconds)}`;
  return html`<time data-since="${from.getTime()}">${showDuration(seconds)}</time>`;
}

/** A commit by the beginning of its id, linked to its answer. */
export function commitLink(commit: string): Html {
  return html`<a class="sha" href="/commits/${encodeURIComponent(commit)}"
    ><code>${said(commit.slice(0, 10))}</code></a
  >`;
}

/** `main` instead of `refs/heads/main`. */
export function shortRef(ref: string): string {
  return said(ref.replace(/^refs\/(?:heads|tags)\//, ''));
}

/** `pull_request` as people write it. */
export function words(name: string): string {
  return said(name.replaceAll('_', ' '));
}

/** `run` or `runs`, with the number. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
