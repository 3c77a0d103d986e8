import { html } from 'hono/html';
import { showDuration } from '../../core/check/amounts.ts';
import { visibleText } from '../../core/escape.ts';
import type { Problem } from '../../core/problems.ts';
import type { CheckRow } from '../../db/checks.ts';
import type { Decision, Delivery } from '../../db/deliveries.ts';
import { parkedAfter } from '../../db/schema/columns.ts';
import { count, moment, prose, said, shortRef, sign, words, type Html } from './pieces.ts';

/** What a commit is told: problems of its file, decisions and checks, as both the page of a run and that of a commit show them. */

/** Problems with their place and what to write instead. */
export function problemSection(problems: readonly Problem[]): Html | '' {
  if (problems.length === 0) return '';
  return html`<section aria-labelledby="problems-title">
    <h2 id="problems-title">Problems in ame.yaml <small>${problems.length}</small></h2>
    <ol class="problems">
      ${problems.map(problemItem)}
    </ol>
  </section>`;
}

function problemItem({ severity, code, message, remedy, line, column }: Problem): Html {
  return html`<li class="${severity}">
    <p>
      ${sign(severity)}<span class="place">ame.yaml:${line}:${column}</span>
      <strong>${severity}</strong> ${prose(message)} <small class="muted">${said(code)}</small>
    </p>
    ${remedy.trim() === '' ? '' : remedyOf(remedy)}
  </li>`;
}

/** One line is a sentence, more are a piece of the file. */
function remedyOf(remedy: string): Html {
  return remedy.trim().includes('\n') ? block(remedy) : html`<p class="remedy">${prose(remedy)}</p>`;
}

function block(text: string): Html {
  return html`<pre tabindex="0">${visibleText(text).trimEnd()}</pre>`;
}

/** Why something runs, or which rule and line said no and what would say yes. */
export function decisionSection(decisions: readonly Decision[], title: string): Html | '' {
  if (decisions.length === 0) return '';
  return html`<section aria-labelledby="decisions-title">
    <h2 id="decisions-title">${title}</h2>
    <ul class="decisions">
      ${decisions.map(decisionItem)}
    </ul>
  </section>`;
}

function decisionItem({ trigger, task, outcome, rule, line, message, remedy, runId }: Decision): Html {
  const what =
    outcome === 'run' && runId !== null
      ? html`<a href="/runs/${runId}">runs ${said(task ?? '')}</a>`
      : outcome === 'problems'
        ? 'nothing runs: the file has problems'
        : 'nothing runs';
  return html`<li>
    <p>
      ${sign(outcome === 'run' ? 'succeeded' : outcome === 'problems' ? 'error' : 'skipped')}<strong>${words(trigger)}</strong>:
      ${what}. ${prose(message)}
      <small class="muted">rule ${said(rule)}${line === null ? '' : `, line ${line}`}</small>
    </p>
    ${
      remedy === null
        ? ''
        : html`<p class="remedy">It would run with this in ame.yaml:</p>
            ${block(remedy)}`
    }
  </li>`;
}

/** Pushes that nothing is decided about yet, with what kept them back. */
export function undecidedSection(deliveries: readonly Omit<Delivery, 'body'>[], now: Date): Html | '' {
  if (deliveries.length === 0) return '';
  return html`<section aria-labelledby="undecided-title">
    <h2 id="undecided-title">Not decided yet <small>${count(deliveries.length, 'push', 'pushes')}</small></h2>
    <ul class="decisions">
      ${deliveries.map((delivery) => undecidedItem(delivery, now))}
    </ul>
  </section>`;
}

function undecidedItem(delivery: Omit<Delivery, 'body'>, now: Date): Html {
  const { ref, receivedAt, failures, postponed, lastError, dueAt } = delivery;
  const tries = [
    ...(failures > 0 ? [`failed ${count(failures, 'time')}`] : []),
    ...(postponed > 0 ? [`postponed ${count(postponed, 'time')}`] : []),
  ].join(', ');
  const next =
    failures >= parkedAfter || dueAt === null
      ? 'It waits for a person to release it.'
      : `Next try ${dueAt <= now ? 'now' : `in ${showDuration((dueAt.getTime() - now.getTime()) / 1_000)}`}.`;
  return html`<li>
    <p>
      ${sign('running')}<strong>${shortRef(ref ?? '')}</strong> received
      ${moment(receivedAt)}${tries === '' ? '' : `, ${tries}`}. ${next}
    </p>
    ${lastError === null ? '' : html`<p class="remedy">${prose(lastError.split('\n', 1)[0] ?? '')}</p>`}
  </li>`;
}

const signs = {
  success: 'succeeded',
  failure: 'failed',
  timed_out: 'failed',
  action_required: 'warning',
  cancelled: 'cancelled',
  skipped: 'skipped',
  neutral: 'skipped',
} as const;

/** The checks of a commit as they would stand on a host, in plain text. */
export function checkSection(checks: readonly CheckRow[]): Html | '' {
  if (checks.length === 0) return '';
  return html`<section aria-labelledby="checks-title">
    <h2 id="checks-title">What the commit is told <small>${count(checks.length, 'check')}</small></h2>
    <ul class="checks">
      ${checks.map(checkItem)}
    </ul>
  </section>`;
}

function checkItem({ says, runId }: CheckRow): Html {
  const state = says.conclusion ?? says.status;
  const name =
    runId === null ? html`${said(says.name)}` : html`<a href="/runs/${runId}">${said(says.name)}</a>`;
  return html`<li>
    <p>
      ${sign(says.conclusion === null ? 'running' : signs[says.conclusion])}<strong>${name}</strong>
      <span class="muted">${words(state)}</span> ${prose(says.title)}
    </p>
    ${
      says.lines.length === 0
        ? ''
        : html`<details>
            <summary>Text</summary>
            ${block(says.lines.join('\n'))}
          </details>`
    }
  </li>`;
}
