import { html } from 'hono/html';
import { showBytes } from '../../core/check/amounts.ts';
import { visibleText } from '../../core/escape.ts';
import { outcomes, type Blame } from '../../core/outcome/classes.ts';
import { isFinal } from '../../core/run.ts';
import { checkSection, decisionSection, problemSection } from './answer.ts';
import type { View } from './layout.ts';
import { logSection } from './log-section.ts';
import {
  commitLink,
  count,
  moment,
  prose,
  said,
  shortRef,
  stateMark,
  took,
  words,
  type Html,
} from './pieces.ts';
import type { RunView } from './read-run.ts';
import { taskTable } from './task-table.ts';

/** Milliseconds between two looks at a run that goes on. */
const pollMs = 1_500;
/** More artifacts are for the command line. */
const mostArtifacts = 200;

/** The page of one run. */
export function runPage(view: RunView): View {
  const { run } = view;
  return {
    title: `${run.project.name}#${run.number} ${run.state}`,
    poll: isFinal(run.state) ? null : pollMs,
    main: html`${header(view)} ${problemSection(view.problems)} ${taskTable(view)} ${notices(view)}
    ${logSection(view)} ${lastWords(view)} ${artifacts(view)}
    ${decisionSection(view.decisions, 'Why it runs')} ${checkSection(view.checks)}`,
  };
}

function header(view: RunView): Html {
  const { run } = view;
  return html`<header class="run">
    <p class="crumb">
      <a href="/?project=${encodeURIComponent(run.project.name)}">${said(run.project.name)}</a>
      <span class="muted">in ${said(`${run.repository.owner}/${run.repository.name}`)}</span>
    </p>
    <div class="head">
      <h1>${said(run.project.name)}#${run.number}</h1>
      ${stateMark(run.state)} ${buttons(view)}
    </div>
    ${verdict(view)} ${facts(view)}
  </header>`;
}

function buttons({ run }: RunView): Html {
  const cancel = run.finishedAt === null && run.cancelRequestedAt === null;
  const retry = isFinal(run.state) && run.state !== 'succeeded';
  // Hidden until the script that makes them work is there.
  return html`<span class="buttons">
    ${cancel ? html`<button type="button" hidden data-post="/api/v1/runs/${run.id}/cancel" data-ask="Cancel ${said(run.project.name)}#${run.number}?">Cancel</button>` : ''}
    ${retry ? html`<button type="button" hidden data-post="/api/v1/runs/${run.id}/retry" data-open="/runs/">Retry</button>` : ''}
  </span>`;
}

const whereToLook: { readonly [blame in NonNullable<Blame>]: string } = {
  user: 'Look at the task first.',
  resources: 'Look at what the task asks for first.',
  cluster: 'The machine is to blame, not the task.',
  us: 'AME is to blame, not the task.',
};

function verdict({ run, decisions }: RunView): Html | '' {
  if (run.finishedAt === null && run.cancelRequestedAt !== null) {
    return html`<p class="verdict">Asked to end. ${prose(run.cancelCause ?? '')}</p>`;
  }
  if (run.state === 'succeeded' || run.class === null) {
    const [why] = decisions;
    return run.finishedAt === null && why ? html`<p class="verdict muted">${prose(why.message)}</p>` : '';
  }
  const { label, message, blame } = outcomes[run.class];
  const reason = run.reason ?? message;
  // A label that repeats the state says nothing new.
  const kind = label === run.state ? '' : html`<strong>${label}</strong>`;
  const look = run.state === 'failed' && blame !== null ? whereToLook[blame] : '';
  return html`<p class="verdict">${kind} ${prose(reason)} <span class="muted">${look}</span></p>`;
}

function facts({ run, repeats, now }: RunView): Html {
  const waited =
    run.startedAt === null
      ? took(run.createdAt, run.finishedAt, now)
      : took(run.createdAt, run.startedAt, now);
  const rows: readonly (readonly [string, Html | string])[] = [
    ['Task', html`<code>${said(run.task)}</code>`],
    ['Commit', html`${commitLink(run.commit)} on <code>${shortRef(run.ref)}</code>`],
    ['Trigger', words(run.trigger)],
    ['Made', moment(run.createdAt)],
    ['Waited', waited],
    ['Took', took(run.startedAt, run.finishedAt, now)],
    ['Tries', repeats.length === 0 ? '' : html`${repeats.map((other) => repeat(other, run.id))}`],
    ['Plan', html`<code title="${run.planDigest}">${run.planDigest.slice(0, 10)}</code>`],
  ];
  return html`<dl class="facts">
    ${rows.map(([name, value]) =>
      value === ''
        ? ''
        : html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
    )}
  </dl>`;
}

function repeat(other: RunView['repeats'][number], id: number): Html {
  if (other.id === id) return html`<strong>#${other.number}</strong> `;
  return html`<a href="/runs/${other.id}">#${other.number}</a> `;
}

function notices(view: RunView): Html | '' {
  if (view.notices.length === 0) return '';
  return html`<section aria-labelledby="notices-title">
    <h2 id="notices-title">Notices</h2>
    <ul class="notices">
      ${view.notices.map((notice) => html`<li>${prose(notice)}</li>`)}
    </ul>
  </section>`;
}

/** Of the attempt whose log is shown: what its pod said itself, where no report says how it ended. */
function lastWords({ log }: RunView): Html | '' {
  const words = log?.attempt.lastWords?.said ?? [];
  if (log === null || words.length === 0) return '';
  return html`<section aria-labelledby="last-words-title">
    <h2 id="last-words-title">
      Last words of the pod of
      ${said(log.attempt.task)}${log.attempt.number > 1 ? ` (try ${log.attempt.number})` : ''}
    </h2>
    ${words.map(
      ({ container, text }) =>
        html`<h3>Container <code>${container}</code></h3>
          <pre tabindex="0">${visibleText(text)}</pre>`,
    )}
  </section>`;
}

function artifacts({ run, artifacts: all }: RunView): Html | '' {
  if (all.length === 0) return '';
  const left = all.length - mostArtifacts;
  const size = all.reduce((sum, artifact) => sum + artifact.size, 0);
  return html`<section aria-labelledby="artifacts-title">
    <h2 id="artifacts-title">Artifacts <small>${count(all.length, 'file')}, ${showBytes(size)}</small></h2>
    <table class="artifacts">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col" class="number">Size</th>
          <th scope="col">Task</th>
        </tr>
      </thead>
      <tbody>
        ${all.slice(0, mostArtifacts).map(
          ({ id, path, size, task }) =>
            html`<tr>
              <td>
                <a href="/api/v1/artifacts/${id}/content" download><code>${said(path)}</code></a>
              </td>
              <td class="number">${showBytes(size)}</td>
              <td>${said(task)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p class="muted">…and ${count(left, 'more file')}: <a href="/api/v1/runs/${run.id}/artifacts">all of them as JSON</a></p>` : ''}
  </section>`;
}
