import type { Position, Task } from '../project.ts';
import type { Report } from './report.ts';

const mostNested = 4;
const mostTasks = 256;
const mostPlanned = 10_000;

/** How deep pipelines go and how large plans are, references followed. Needs `isCountable` first: it recurses along references. */
export function checkSizes(tasks: readonly Task[], report: Report): void {
  const measured = measure(tasks);
  for (const task of tasks) {
    checkDepth(task, 0, `tasks.${task.name}`, measured, report);
    checkPlanned(task, measured, report);
  }
}

/** Whether the file declares no more tasks than it may; only then is it worth while to compare them all with each other. */
export function isCountable(tasks: readonly Task[], report: Report): boolean {
  const all = tasks.flatMap((task) => declared(task, `tasks.${task.name}`));
  const beyond = all[mostTasks];
  if (beyond !== undefined) report('too-many-tasks', beyond, { count: all.length, most: mostTasks });
  return beyond === undefined;
}

function declared(task: Task, path: string): (Position & { readonly path: string })[] {
  const inner =
    task.kind === 'pipeline'
      ? task.tasks.flatMap((each) => declared(each, `${path}.pipeline.${each.name}`))
      : [];
  return [{ ...task.position, path }, ...inner];
}

/** Levels of pipelines and number of commands of a task, references followed. */
type Size = { readonly levels: number; readonly commands: number };
type Sizes = (name: string) => Size;

const nothing: Size = { levels: 0, commands: 1 };

/** Sizes of the tasks at the top, each counted once; one that contains itself counts as a single command there. */
function measure(tasks: readonly Task[]): Sizes {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const known = new Map<string, Size>();
  const sizeOf = (task: Task): Size => {
    if (task.kind === 'command') return nothing;
    if (task.kind === 'taskref') return named(task.taskref.name);
    const sizes = task.tasks.map(sizeOf);
    const commands = sizes.reduce((sum, size) => Math.min(Number.MAX_SAFE_INTEGER, sum + size.commands), 0);
    return { levels: 1 + Math.max(0, ...sizes.map(({ levels }) => levels)), commands };
  };
  const named = (name: string): Size => {
    const task = byName.get(name);
    const size = known.get(name);
    if (size !== undefined || task === undefined) return size ?? nothing;
    // Holds the place while the task is measured, so that a cycle ends here.
    known.set(name, nothing);
    const measured = sizeOf(task);
    known.set(name, measured);
    return measured;
  };
  return named;
}

function checkDepth(task: Task, level: number, path: string, sizes: Sizes, report: Report): void {
  if (task.kind === 'command') return;
  if (task.kind === 'taskref') {
    const { levels } = sizes(task.taskref.name);
    // What is too deep by itself is reported there and not wherever it is taken.
    if (levels > mostNested || level + levels <= mostNested) return;
    report(
      'too-nested',
      { ...task.taskref.position, path: `${path}.taskref` },
      { most: mostNested, through: task.taskref.name },
    );
    return;
  }
  if (level + 1 > mostNested) {
    report('too-nested', { ...task.position, path }, { most: mostNested, through: null });
    return;
  }
  for (const inner of task.tasks)
    checkDepth(inner, level + 1, `${path}.pipeline.${inner.name}`, sizes, report);
}

function checkPlanned(task: Task, sizes: Sizes, report: Report): void {
  if (sizes(task.name).commands <= mostPlanned) return;
  const isInherited = referenced(task).some(
    (name) => name !== task.name && sizes(name).commands > mostPlanned,
  );
  if (!isInherited)
    report(
      'plan-too-large',
      { ...task.position, path: `tasks.${task.name}` },
      { task: task.name, most: mostPlanned },
    );
}

function referenced(task: Task): readonly string[] {
  if (task.kind === 'taskref') return [task.taskref.name];
  return task.kind === 'pipeline' ? task.tasks.flatMap(referenced) : [];
}
