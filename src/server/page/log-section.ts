import { html } from 'hono/html';
import { showBytes } from '../../core/check/amounts.ts';
import { isFinal } from '../../core/run.ts';
import type { Attempt } from '../../db/attempts.ts';
import { elapsed } from './log-text.ts';
import type { LogLine, LogTail } from './log-tail.ts';
import { said, type Html } from './pieces.ts';
import type { RunView } from './read-run.ts';

/** Classes of lines by stream; what the command writes to stdout is plain. */
const streams = { 0: 'ame', 1: '', 2: 'err' } as const;

/**
 * The end of one attempt's log. A script goes on from `data-offset` and, while the reader stays at the end, keeps
 * it in sight; the section is then the script's (`data-own`) until another attempt is shown.
 */
export function logSection({ log, run }: RunView): Html {
  if (log === null) {
    return html`<section id="log" data-own="none">
      <h2>Log</h2>
      <p class="muted">
        ${isFinal(run.state) ? 'Nothing ran, so nothing was said.' : 'Nothing has been said yet.'}
      </p>
    </section>`;
  }
  const { attempt, tail } = log;
  const origin = attempt.reusedFrom ?? attempt.id;
  const began = attempt.startedAt ?? attempt.preparedFrom ?? attempt.createdAt;
  return html`<section
    id="log"
    data-own="${attempt.id}"
    data-events="/api/v1/attempts/${origin}/log/events"
    data-offset="${tail?.offset ?? 0}"
    data-began="${began.getTime()}"
    aria-labelledby="log-title"
  >
    <h2 id="log-title">
      Log of ${said(attempt.task)}${attempt.number > 1 ? ` (try ${attempt.number})` : ''}
      ${isFinal(attempt.state) ? '' : html`<small class="live" hidden>live</small>`}
    </h2>
    <p class="legend">
      <span class="err">stderr</span> <span class="ame">AME</span>
      <a href="/api/v1/attempts/${origin}/log">whole log</a>
      ${tail === null || !isFinal(attempt.state) || tail.bytes === 0 ? '' : html`<small>${showBytes(tail.bytes)}</small>`}
    </p>
    ${tail === null ? '' : lines(tail, attempt, began)}
  </section>`;
}

function lines({ lines, cut }: LogTail, attempt: Attempt, began: Date): Html {
  // The outer element counts its scroll position from the end, so that the end is what one sees first, script or not.
  return html`<div class="log" role="log" aria-live="off" aria-label="End of the log" tabindex="0">
    <div class="lines">
      ${cut ? note('Earlier lines stand in the whole log.') : ''}${lines.map((line) => lineOf(line, began))}${lines.length === 0 ? note(isFinal(attempt.state) ? 'Nothing was said.' : 'Nothing has been said yet.') : ''}
    </div>
  </div>`;
}

function note(text: string): Html {
  return html`<p class="cut">${text}</p>`;
}

function lineOf({ stream, at, text, open }: LogLine, began: Date): Html {
  const time = elapsed(at - began.getTime());
  const about = html`class="${streams[stream]}" data-at="${time}" ${open ? html`data-open="${stream}"` : ''}`;
  // Inline and short, as the formatter of this code adds space within what is not.
  return html`<span ${about}>${text}</span>`;
}
