import { html } from 'hono/html';
import { showDuration } from '../../core/check/amounts.ts';
import type { Attempt } from '../../db/attempts.ts';
import type { Html } from './pieces.ts';
import type { TaskView } from './read-run.ts';

/** From the making of a run until its end, or until now. */
export type Span = { readonly from: Date; readonly to: Date };

type Phase = { readonly name: string; readonly from: Date | null; readonly to: Date | null };

function phasesOf(attempt: Attempt): readonly Phase[] {
  const { readyAt, preparedFrom, startedAt, endedAt, storedAt } = attempt;
  return [
    { name: 'waited', from: readyAt, to: preparedFrom },
    { name: 'prepared', from: preparedFrom, to: startedAt },
    { name: 'ran', from: startedAt, to: endedAt },
    { name: 'stored', from: endedAt, to: storedAt },
  ];
}

/** What came around the running, such as `waited 0.1 s, stored 2.0 s`; what took no time to speak of is left out. */
export function phaseText(attempt: Attempt): string {
  return phasesOf(attempt)
    .flatMap(({ name, from, to }) => {
      const seconds = from === null || to === null ? 0 : (to.getTime() - from.getTime()) / 1_000;
      return name === 'ran' || seconds < 0.05 ? [] : [`${name} ${showDuration(seconds)}`];
    })
    .join(', ');
}

/** Across: what the whole width of a timeline is. */
const width = 1_000;

/**
 * When a task did what, within the time of its run. Drawn with attributes alone: the policy of the page allows no
 * style in an element.
 */
export function timeline(task: TaskView, span: Span): Html {
  const whole = Math.max(1, span.to.getTime() - span.from.getTime());
  const at = (date: Date): number =>
    Math.round(Math.min(1, Math.max(0, (date.getTime() - span.from.getTime()) / whole)) * width);
  // What was taken over ran before this run was made.
  const tries = [...task.earlier, task.last].filter((attempt) => attempt.reusedFrom === null);
  const bars = tries.flatMap((attempt) =>
    phasesOf(attempt).flatMap(({ name, from, to }, index, phases) => {
      const next = phases.slice(index + 1).some((phase) => phase.from !== null);
      const end = to ?? (attempt.finishedAt !== null || next ? attempt.finishedAt : span.to);
      if (from === null || end === null || end < from) return [];
      const x = Math.min(at(from), width - 3);
      const kind = name === 'ran' ? `ran ${attempt.state}` : name;
      return [
        html`<rect class="${kind}" x="${x}" y="0" width="${Math.max(3, at(end) - x)}" height="8"></rect>`,
      ];
    }),
  );
  return html`<svg class="timeline" viewBox="0 0 ${width} 8" preserveAspectRatio="none" aria-hidden="true">
    ${bars}
  </svg>`;
}
