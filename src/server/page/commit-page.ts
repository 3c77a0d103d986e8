import { html } from 'hono/html';
import { isFinal } from '../../core/run.ts';
import { listChecks } from '../../db/checks.ts';
import type { Db } from '../../db/connect.ts';
import { listDecisions, listUndecided } from '../../db/deliveries.ts';
import { listRevisions } from '../../db/projects.ts';
import { findRepository } from '../../db/repositories.ts';
import { listRuns, type PlacedRun } from '../../db/runs.ts';
import { checkSection, decisionSection, problemSection, undecidedSection } from './answer.ts';
import type { View } from './layout.ts';
import { count, said, shortRef, stateMark, took, type Html } from './pieces.ts';

const mostRuns = 100;
/** Milliseconds between two looks while a run of the commit goes on. */
const pollMs = 2_000;

/** The answer of a commit: its file's problems, what was decided and why, what runs, and what hosts are told. */
export async function commitPage(
  db: Db,
  sha: string,
  place: { readonly repositoryId?: number } = {},
): Promise<View | undefined> {
  const now = new Date();
  const [revisions, decisions, checks, runs, undecided] = await Promise.all([
    listRevisions(db, sha, place),
    listDecisions(db, { commit: sha, ...place }),
    listChecks(db, { sha, ...place }),
    listRuns(db, { commit: sha, ...place }, { limit: mostRuns }),
    listUndecided(db, sha, place),
  ]);
  if (decisions.length === 0 && checks.length === 0 && undecided.length === 0) return undefined;
  const ids = new Set(
    [...checks, ...decisions, ...undecided].flatMap(({ repositoryId }) => repositoryId ?? []),
  );
  const repositories = await Promise.all([...ids].map((id) => findRepository(db, id)));
  const names = repositories.flatMap((row) => (row ? [`${row.owner}/${row.name}`] : []));
  // A file is checked once a project, and the same commit may stand in several repositories.
  const problems = new Map(
    revisions.flatMap((revision) => revision.problems).map((problem) => [JSON.stringify(problem), problem]),
  );
  return {
    title: `Commit ${sha.slice(0, 10)}`,
    poll: undecided.length > 0 || runs.some((run) => !isFinal(run.state)) ? pollMs : null,
    main: html`<header>
        <p class="crumb"><span class="muted">${said(names.join(', '))}</span></p>
        <h1>Commit <code>${sha.slice(0, 10)}</code></h1>
        <p class="muted sha"><code>${sha}</code></p>
      </header>
      ${undecidedSection(undecided, now)} ${problemSection([...problems.values()])}
      ${decisionSection(decisions, 'What was decided')} ${runSection(runs, now)} ${checkSection(checks)}`,
  };
}

function runSection(runs: readonly PlacedRun[], now: Date): Html | '' {
  if (runs.length === 0) return '';
  return html`<section aria-labelledby="runs-title">
    <h2 id="runs-title">Runs <small>${count(runs.length, 'run')}</small></h2>
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col">Ref</th>
          <th scope="col" class="number">Took</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(
          (run) =>
            html`<tr>
              <th scope="row">
                <a href="/runs/${run.id}">${said(run.project.name)}#${run.number}</a>
                <small>${said(run.task)}</small>
              </th>
              <td>${stateMark(run.state)}</td>
              <td>${shortRef(run.ref)}</td>
              <td class="number">${took(run.startedAt, run.finishedAt, now)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
