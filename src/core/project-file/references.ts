import { closest } from '../closest.ts';
import type { PipelineTask, Project, Reference, Task } from '../project.ts';
import type { Place } from '../problems.ts';
import { allowedFor } from './allowed-names.ts';
import { findCycles } from './cycles.ts';
import type { Link } from './cycles.ts';
import { checkSizes, isCountable } from './sizes.ts';
import { shown } from '../problems/wording.ts';
import type { Report } from './report.ts';

/**
 * Everything that concerns several tasks: names that must exist, cycles, depth and number. Where the
 * tasks could not be read, `areKnown` is false and no name is called unknown.
 */
export function checkReferences(project: Project, areKnown: boolean, report: Report): void {
  if (!isCountable(project.tasks, report)) return;
  const names = project.tasks.map(({ name }) => name);
  const taken = new Map(
    project.tasks.map((task) => [task.name, taskrefsOf(task, '').map(({ reference }) => reference.name)]),
  );
  for (const task of project.tasks) {
    const top = {
      names,
      areKnown,
      allowed: () => allowedFor(task.name, names, (name) => taken.get(name) ?? []),
    };
    checkTask(task, top, `tasks.${task.name}`, report);
  }
  checkTriggers(project, { names, areKnown, allowed: () => names }, report);
  checkTaskrefCycles(project.tasks, report);
  checkSizes(project.tasks, report);
}

/** The names under `tasks`, and those of them that can be taken where a name is looked for. */
type TopNames = {
  readonly names: readonly string[];
  readonly areKnown: boolean;
  readonly allowed: () => readonly string[];
};

/** A place in the file for a name that it refers to. */
function placeOf(reference: Reference, path: string): Place {
  return { ...reference.position, path };
}

function checkTask(task: Task, top: TopNames, path: string, report: Report): void {
  if (task.kind === 'taskref') checkExists(task.taskref, top, `${path}.taskref`, report);
  if (task.kind !== 'pipeline') return;
  checkNeeds(task, top, path, report);
  for (const inner of task.tasks) checkTask(inner, top, `${path}.pipeline.${inner.name}`, report);
}

function checkExists(reference: Reference, top: TopNames, path: string, report: Report): void {
  // An empty name was already reported where it stands.
  if (!top.areKnown || reference.name === '' || top.names.includes(reference.name)) return;
  report('unknown-task', placeOf(reference, path), () => {
    const known = top.allowed();
    return {
      name: reference.name,
      where: 'under `tasks`',
      nearest: closest(reference.name, known),
      known,
      hint: hintForNested(reference.name, known),
    };
  });
}

function hintForNested(name: string, names: readonly string[]): string | null {
  const outer = name.split('/')[0] ?? '';
  return name.includes('/') && names.includes(outer)
    ? `Only tasks directly under \`tasks\` can be named here: write ${shown(outer)}, or move the task there.`
    : null;
}

function checkNeeds(pipeline: PipelineTask, top: TopNames, path: string, report: Report): void {
  const names = pipeline.tasks.map(({ name }) => name);
  const known = new Set(names);
  const order = new Map(
    pipeline.tasks.map((task, index) => [task.name, { task, before: pipeline.tasks[index - 1] }]),
  );
  const linksOf = (name: string): readonly Link[] => {
    const entry = order.get(name);
    if (entry === undefined) return [];
    if (entry.task.needs === null)
      return entry.before === undefined ? [] : [{ to: entry.before.name, reference: null }];
    return entry.task.needs.map((need) => ({ to: need.name, reference: need }));
  };
  for (const task of pipeline.tasks) {
    for (const [index, need] of (task.needs ?? []).entries()) {
      if (need.name === '' || known.has(need.name)) continue;
      report('unknown-task', placeOf(need, `${path}.pipeline.${task.name}.needs[${index}]`), () => {
        const allowed = allowedFor(task.name, names, (name) => linksOf(name).map(({ to }) => to));
        return {
          name: need.name,
          where: `in the pipeline of ${shown(pipeline.name)}`,
          nearest: closest(need.name, allowed),
          known: allowed,
          hint: hintForNeed(need.name, pipeline, allowed, top),
        };
      });
    }
  }
  for (const cycle of findCycles(names, linksOf)) {
    const first = cycle.find(({ reference }) => reference !== null);
    if (first?.reference === undefined || first.reference === null) continue;
    const index = order.get(first.from)?.task.needs?.indexOf(first.reference) ?? 0;
    report('cycle', placeOf(first.reference, `${path}.pipeline.${first.from}.needs[${index}]`), {
      tasks: cycle.map(({ from }) => from),
      implicit: cycle
        .filter(({ reference }) => reference === null)
        .map(({ from, to }) => ({ task: from, after: to })),
      by: 'needs',
    });
  }
}

function hintForNeed(
  name: string,
  pipeline: PipelineTask,
  allowed: readonly string[],
  top: TopNames,
): string | null {
  if (name === pipeline.name) return 'Delete it; a task of a pipeline cannot need the pipeline itself.';
  if (name.startsWith('x-')) return 'Give it a name that does not begin with `x-`; such keys are ignored.';
  // `- a` indented deeper than the item above becomes part of that item's text.
  if (/ - /u.test(name)) return 'Begin every `-` of the list at the same column; YAML joined two items here.';
  if (name.includes(',')) {
    const parts = name.split(',').map((part) => part.trim());
    return `Write a list: ${shown(`needs: [${parts.join(', ')}]`)}.`;
  }
  const outer = name.split('/')[0] ?? '';
  if (name.includes('/') && allowed.includes(outer))
    return `Write ${shown(outer)}; needing a pipeline means its last tasks.`;
  const isElsewhere = closest(name, allowed) === null && top.allowed().includes(name);
  return isElsewhere
    ? `Only tasks of the same pipeline can be needed; add ${shown(`${name}: {taskref: ${name}}`)} to this one.`
    : null;
}

function checkTriggers(project: Project, top: TopNames, report: Report): void {
  const { on } = project;
  const { names } = top;
  for (const [index, reference] of (on?.push?.run ?? []).entries())
    checkExists(reference, top, `on.push.run[${index}]`, report);
  for (const [index, reference] of (on?.pullRequest?.run ?? []).entries()) {
    checkExists(reference, top, `on.pull_request.run[${index}]`, report);
  }
  for (const recurring of project.recurringTasks) {
    checkExists(recurring.taskref, top, `recurring_tasks.${recurring.name}.taskref`, report);
  }
  if (!top.areKnown) return;
  const hasDefault = names.includes('main') || names.length === 1;
  if (names.length === 0) {
    const runs = [on?.push?.run, on?.pullRequest?.run].some((run) => run !== undefined && run !== null);
    const isAsked = project.recurringTasks.length > 0 || runs;
    if (!isAsked) report('no-tasks', { line: 1, column: 1, path: '' }, {});
    return;
  }
  if (on?.push?.run === null && !hasDefault) {
    report('nothing-to-run', { ...on.push.position, path: 'on.push' }, { trigger: 'push', tasks: names });
  }
  if (on?.pullRequest?.run === null && !hasDefault) {
    report(
      'nothing-to-run',
      { ...on.pullRequest.position, path: 'on.pull_request' },
      { trigger: 'pull request', tasks: names },
    );
  }
}

function checkTaskrefCycles(tasks: readonly Task[], report: Report): void {
  const references = new Map(tasks.map((task) => [task.name, taskrefsOf(task, `tasks.${task.name}`)]));
  const cycles = findCycles([...references.keys()], (name) =>
    (references.get(name) ?? []).map(({ reference }) => ({ to: reference.name, reference })),
  );
  for (const cycle of cycles) {
    const first = cycle[0];
    if (first?.reference === undefined || first.reference === null) continue;
    const path =
      references.get(first.from)?.find(({ reference }) => reference === first.reference)?.path ?? '';
    report('cycle', placeOf(first.reference, path), {
      tasks: cycle.map(({ from }) => from),
      implicit: [],
      by: 'taskref',
    });
  }
}

function taskrefsOf(
  task: Task,
  path: string,
): readonly { readonly reference: Reference; readonly path: string }[] {
  if (task.kind === 'taskref') return [{ reference: task.taskref, path: `${path}.taskref` }];
  if (task.kind === 'command') return [];
  return task.tasks.flatMap((inner) => taskrefsOf(inner, `${path}.pipeline.${inner.name}`));
}
