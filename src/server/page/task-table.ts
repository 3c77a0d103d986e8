import { html } from 'hono/html';
import { outcomes } from '../../core/outcome/classes.ts';
import { isFinal } from '../../core/run.ts';
import type { Attempt } from '../../db/attempts.ts';
import { count, moment, said, prose, stateMark, took, type Html } from './pieces.ts';
import type { RunView, TaskView } from './read-run.ts';
import { phaseText, timeline, type Span } from './timeline.ts';
import { useText } from './use-text.ts';

/** More rows make a page that nobody reads; what failed and what runs is always among them. */
const mostTasks = 500;
/** Tries before the last one that are named. */
const mostEarlier = 5;

/** The tasks of a run in the order of the plan, with state, times, and the reason of what did not go well. */
export function taskTable(view: RunView): Html {
  const { run, tasks, now } = view;
  const span: Span = { from: run.createdAt, to: run.finishedAt ?? now };
  const shown = choose(tasks);
  const left = tasks.length - shown.length;
  const done = tasks.filter(({ last }) => isFinal(last.state)).length;
  const amount = isFinal(run.state)
    ? count(tasks.length, 'task')
    : `${done} of ${count(tasks.length, 'task')} done`;
  return html`<section aria-labelledby="tasks-title">
    <h2 id="tasks-title">Tasks <small>${amount}</small></h2>
    <table class="tasks">
      <thead>
        <tr>
          <th scope="col">Task</th>
          <th scope="col">State</th>
          <th scope="col" class="wide">When</th>
          <th scope="col" class="number">Ran</th>
          <th scope="col"><span class="hidden">Log</span></th>
        </tr>
      </thead>
      <tbody>
        ${shown.map((task) => taskRow(task, view, span))}
      </tbody>
    </table>
    ${left === 0 ? '' : html`<p class="muted">…and ${count(left, 'more task')}: <a href="/api/v1/runs/${run.id}">all of them as JSON</a></p>`}
  </section>`;
}

function choose(tasks: readonly TaskView[]): readonly TaskView[] {
  if (tasks.length <= mostTasks) return tasks;
  const matters = (task: TaskView): boolean => ['failed', 'running', 'queued'].includes(task.last.state);
  const chosen = new Set([...tasks.filter(matters), ...tasks].slice(0, mostTasks));
  return tasks.filter((task) => chosen.has(task));
}

function taskRow(task: TaskView, view: RunView, span: Span): Html {
  const { last, earlier } = task;
  const isShown = view.log?.attempt.id === last.id;
  return html`<tr id="task-${last.position}" class="${isShown ? 'shown' : ''}">
    <th scope="row">
      ${taskName(task.name)}${last.number > 1 ? html` <small>try ${last.number}</small>` : ''}${reasonOf(last)}${earlier.length === 0 ? '' : earlierTries(earlier, view)}
    </th>
    <td>${stateMark(last.state)}</td>
    <td class="wide">
      ${timeline(task, span)}<small class="phases">${phaseText(last)}${useText(last)}</small>
    </td>
    <td class="number">
      ${last.startedAt === null ? '' : took(last.startedAt, last.endedAt ?? last.finishedAt, view.now)}
    </td>
    <td class="action">${logLink(last, task.name, view)}</td>
  </tr>`;
}

/** The pipeline around a task stays in the background. */
function taskName(name: string): Html {
  const at = name.lastIndexOf('/') + 1;
  return html`<span class="name"
    ><span class="muted">${said(name.slice(0, at))}</span>${said(name.slice(at))}</span
  >`;
}

function reasonOf(attempt: Attempt): Html | '' {
  if (attempt.reusedFrom !== null) return html`<p class="reason">taken over from an earlier run</p>`;
  if (attempt.notBefore !== null && attempt.state === 'waiting') {
    return html`<p class="reason">tries again at ${moment(attempt.notBefore)}</p>`;
  }
  if (attempt.state === 'queued' && attempt.pendingWhy !== null) {
    return html`<p class="reason">waits: ${prose(attempt.pendingWhy)}</p>`;
  }
  if (attempt.state === 'succeeded' || attempt.reason === null) return '';
  return html`<p class="reason">${prose(attempt.reason)}</p>`;
}

function earlierTries(earlier: readonly Attempt[], view: RunView): Html {
  const left = earlier.length - mostEarlier;
  return html`<ul class="tries">
    ${left > 0 ? html`<li>${count(left, 'try')} before these</li>` : ''}
    ${earlier
      .slice(-mostEarlier)
      .map(
        (attempt) =>
          html`<li>
            try ${attempt.number}: ${attempt.class === null ? attempt.state : outcomes[attempt.class].label}
            ${logLink(attempt, attempt.task, view)}
          </li>`,
      )}
  </ul>`;
}

function logLink(attempt: Attempt, task: string, { run, log }: RunView): Html | '' {
  if (attempt.queuedAt === null && attempt.reusedFrom === null) return '';
  const current = log?.attempt.id === attempt.id ? html` aria-current="true"` : '';
  return html`<a href="/runs/${run.id}?attempt=${attempt.id}#log" ${current}
    >Log<span class="hidden"> of ${said(task)}, try ${attempt.number}</span></a
  >`;
}
