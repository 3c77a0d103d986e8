import { html } from 'hono/html';
import { isFinal } from '../../core/run.ts';
import type { Context as Ame } from '../../context.ts';
import { listParked } from '../../db/due.ts';
import { listProjects, type ListedProject } from '../../db/projects.ts';
import { listRuns, type PlacedRun } from '../../db/runs.ts';
import { readFound } from '../found.ts';
import { countSchedules, listSchedules } from '../../db/schedule-list.ts';
import { presentSchedules } from '../api/present-schedule.ts';
import { githubSection } from './github-section.ts';
import { mostSchedules, scheduleSection } from './schedule-section.ts';
import type { View } from './layout.ts';
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

const runsAtOnce = 30;
/** Milliseconds between two looks while something runs, and while nothing does. */
const pollMs = { active: 2_000, idle: 5_000 } as const;

export type HomeAsked = {
  /** Runs of projects with this name alone. */
  readonly project: string | null;
  /** Runs before this one. */
  readonly before: number | null;
};

/** The newest runs, all projects, and what was found on GitHub. */
export async function homePage(
  ame: Pick<Ame, 'config' | 'db' | 'github' | 'address'>,
  asked: HomeAsked,
): Promise<View> {
  const { db } = ame;
  const now = new Date();
  const isFirst = asked.project === null && asked.before === null;
  const ofProject = asked.project === null ? {} : { projectName: asked.project };
  const [rows, projects, parked, found, schedules, allSchedules] = await Promise.all([
    listRuns(db, asked.project === null ? {} : { project: asked.project }, {
      limit: runsAtOnce + 1,
      ...(asked.before === null ? {} : { beforeId: asked.before }),
    }),
    listProjects(db),
    listParked(db),
    isFirst ? readFound(ame) : null,
    asked.before === null ? listSchedules(db, ofProject, { limit: mostSchedules }) : [],
    asked.before === null ? countSchedules(db, ofProject) : 0,
  ]);
  const view = { ticks: 1, events: 1, address: ame.address() };
  const shown = await presentSchedules(db, schedules, view);
  const runs = rows.slice(0, runsAtOnce);
  const active = runs.some((run) => !isFinal(run.state));
  const older = rows.length > runsAtOnce ? (runs.at(-1)?.id ?? null) : null;
  return {
    title: asked.project ?? 'Runs',
    // What is long over does not change.
    poll: asked.before === null ? (active ? pollMs.active : pollMs.idle) : null,
    main: html`<header>
        <h1>${asked.project === null ? 'Runs' : html`Runs of ${said(asked.project)}`}</h1>
        ${asked.project === null ? '' : html`<p class="crumb"><a href="/">all runs</a></p>`}
      </header>
      ${parked.length === 0 ? '' : html`<p class="verdict"><strong>${count(parked.length, 'row')} parked.</strong> What failed twenty times waits for a person: <code>ame release</code> shows them.</p>`}
      ${runs.length === 0 ? nothingYet(ame.address(), asked) : runTable(runs, now)}
      ${older === null ? '' : html`<p><a rel="next" href="${olderLink(asked, older)}">Older runs</a></p>`}
      ${scheduleSection(shown, allSchedules)}${projectSection(projects)}${found === null ? '' : githubSection(found)}`,
  };
}

function olderLink({ project }: HomeAsked, before: number): string {
  const query = new URLSearchParams({ ...(project === null ? {} : { project }), before: String(before) });
  return `/?${query.toString()}`;
}

function nothingYet(address: string, { project }: HomeAsked): Html {
  if (project !== null) return html`<p class="muted">There is no run of ${said(project)}.</p>`;
  return html`<p>Nothing has run yet. In a repository of yours, with <code>ame</code> on your machine:</p>
    <pre tabindex="0">
ame init            # writes ame.yaml and adds the remote
git push ame main   # ${said(address)}/git/&lt;owner&gt;/&lt;name&gt;.git</pre>`;
}

function runTable(runs: readonly PlacedRun[], now: Date): Html {
  return html`<section aria-label="Runs">
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col" class="wide">Commit</th>
          <th scope="col" class="wide trigger">Trigger</th>
          <th scope="col">Made</th>
          <th scope="col" class="number">Took</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map((run) => runRow(run, now))}
      </tbody>
    </table>
  </section>`;
}

function runRow(run: PlacedRun, now: Date): Html {
  const bad = run.state === 'failed' || run.state === 'cancelled';
  return html`<tr id="run-${run.id}">
    <th scope="row">
      <a href="/runs/${run.id}">${said(run.project.name)}#${run.number}</a>
      <small>${said(run.task)}</small
      >${bad && run.reason !== null ? html`<p class="reason">${prose(run.reason)}</p>` : ''}
    </th>
    <td>${stateMark(run.state)}</td>
    <td class="wide">${commitLink(run.commit)} <small>on ${shortRef(run.ref)}</small></td>
    <td class="wide trigger">${words(run.trigger)}</td>
    <td class="when">${moment(run.createdAt)}</td>
    <td class="number">${took(run.startedAt, run.finishedAt, now)}</td>
  </tr>`;
}

function projectSection(projects: readonly ListedProject[]): Html | '' {
  if (projects.length === 0) return '';
  return html`<section aria-labelledby="projects-title">
    <h2 id="projects-title">Projects <small>${projects.length}</small></h2>
    <table class="projects">
      <thead>
        <tr>
          <th scope="col">Project</th>
          <th scope="col">Repository</th>
          <th scope="col" class="number">Runs</th>
        </tr>
      </thead>
      <tbody>
        ${projects.map(
          ({ name, path, repository, lastNumber }) =>
            html`<tr>
              <th scope="row"><a href="/?project=${encodeURIComponent(name)}">${said(name)}</a></th>
              <td>${said(`${repository.owner}/${repository.name}${path === '' ? '' : `/${path}`}`)}</td>
              <td class="number">${lastNumber}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
