import { html } from 'hono/html';
import { outcomes } from '../../core/outcome/classes.ts';
import { showTick } from '../../core/schedule/show.ts';
import type { ScheduleShape } from '../api/schedule-shapes.ts';
import { count, moment, prose, said, stateMark, type Html } from './pieces.ts';

type LastRun = NonNullable<ScheduleShape['last'][number]['run']>;

/** Schedules that the page lists; `ame schedule list` lists all. */
export const mostSchedules = 50;

/** What runs by itself: when next, how it went last, and since when it fails. */
export function scheduleSection(rows: readonly ScheduleShape[], all: number): Html | '' {
  if (rows.length === 0) return '';
  const left = all - rows.length;
  return html`<section aria-labelledby="schedules-title">
    <h2 id="schedules-title">Schedules <small>${all}</small></h2>
    <table class="projects">
      <thead>
        <tr>
          <th scope="col">Schedule</th>
          <th scope="col">Times</th>
          <th scope="col">Next</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(scheduleRow)}
      </tbody>
    </table>
    ${left <= 0 ? '' : html`<p class="muted">…and ${count(left, 'more schedule')}: <code>ame schedule list</code> lists all.</p>`}
  </section>`;
}

function scheduleRow(row: ScheduleShape): Html {
  const [next] = row.next;
  const [last] = row.last;
  const trouble = troubleOf(row);
  return html`<tr>
    <th scope="row">
      <a href="/?project=${encodeURIComponent(row.project)}">${said(row.project)}</a> ${said(row.name)}
      <small>${said(row.task)}</small>${trouble}
    </th>
    <td><code>${said(row.schedule)}</code> <small>${said(row.timezone)}</small></td>
    <td>
      ${row.state === 'active' ? (next === undefined ? '' : showTick(new Date(next), row.timezone)) : row.state}
    </td>
    <td>
      ${
        last === undefined
          ? ''
          : last.run === null
            ? prose(last.message)
            : [last.run, last.run.retry].map((run) => (run === null ? '' : runMark(run)))
      }
      ${factsOf(row)}
    </td>
  </tr>`;
}

function runMark({ id, number, state }: Pick<LastRun, 'id' | 'number' | 'state'>): Html {
  return html`<a href="/runs/${id}">#${number}</a> ${stateMark(state)} `;
}

/** How late its last tick was, and how many of late became no run. */
function factsOf({ driftSeconds, missedTicks }: ScheduleShape): Html | '' {
  const facts = [
    ...(driftSeconds === null ? [] : [`drift ${driftSeconds.toFixed(1)} s`]),
    ...(missedTicks === 0 ? [] : [`${missedTicks} missed`]),
  ];
  return facts.length === 0 ? '' : html`<small>${facts.join(', ')}</small>`;
}

function troubleOf({ state, since, reason, failing }: ScheduleShape): Html | '' {
  if (state === 'active' && failing !== null) {
    const { count: times, atLeast, class: outcome } = failing;
    const label = outcomes[outcome].label;
    return html`<p class="reason">
      Failing since ${moment(new Date(failing.since))}: ${atLeast ? 'at least ' : ''}${times} in a row, the
      last one with ${prose(label)}
    </p>`;
  }
  if (state === 'active') return reason === null ? '' : html`<p class="reason">${prose(reason)}</p>`;
  return html`<p class="reason">
    ${state}${since === null ? '' : html` since ${moment(new Date(since))}`}: ${prose(reason ?? '')}
  </p>`;
}
