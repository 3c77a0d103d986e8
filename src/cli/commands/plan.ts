import { resolve } from 'node:path';
import { plainLine } from '../../core/escape.ts';
import { planDigest, planTask, type Edge, type Plan } from '../../core/plan.ts';
import { PlanError } from '../../core/plan/plan-error.ts';
import { problemLines } from '../../core/check.ts';
import { parseProjectFile } from '../../core/project-file.ts';
import type { Project } from '../../core/project.ts';
import { shownTicksOf } from '../../core/schedule/show.ts';
import { decideRequest } from '../../core/trigger.ts';
import { exitCodes, inputFault, type ExitCode } from '../fault.ts';
import { note, print, printJson, type Terminal } from '../terminal.ts';
import { readProjectFile } from './check.ts';

export type PlanOptions = { readonly file: string; readonly json?: true };

/** Shows the graph that running a task means: its order, and why each task comes after another. */
export async function plan(
  terminal: Terminal,
  task: string | undefined,
  options: PlanOptions,
): Promise<ExitCode> {
  const { content } = await readProjectFile(resolve(terminal.cwd, options.file), options.file);
  const { project, problems } = parseProjectFile(content);
  if (project === null) {
    for (const line of problems.flatMap(problemLines)) note(terminal, line);
    throw inputFault('There is no plan until the errors in ame.yaml are repaired.');
  }
  const { plan, edges } = planOf(project, task ?? defaultTask(project));
  const digest = planDigest(plan);
  const schedules = schedulesOf(project, plan.task);
  if (options.json) printJson(terminal, { ...plan, digest, edges, schedules });
  else {
    for (const line of planLines(terminal, plan, edges, digest)) print(terminal, line);
    for (const line of scheduleLines(terminal, schedules)) print(terminal, line);
  }
  return exitCodes.good;
}

type PlannedSchedule = {
  readonly name: string;
  readonly schedule: string;
  readonly timezone: string;
  /** As the clocks of its zone show them. */
  readonly next: readonly string[];
};

/** When the task runs by itself, once this file is that of the default branch. */
function schedulesOf(project: Project, task: string): readonly PlannedSchedule[] {
  const now = new Date();
  return project.recurringTasks
    .filter(({ taskref }) => taskref.name === task)
    .map((each) => {
      const { name, schedule, timezone } = each;
      return { name, schedule, timezone, next: shownTicksOf(each, now) };
    });
}

function scheduleLines({ colors }: Terminal, schedules: readonly PlannedSchedule[]): readonly string[] {
  return schedules.flatMap(({ name, schedule, timezone, next }) => [
    '',
    `${colors.bold(plainLine(name))}: ${plainLine(schedule)} ${plainLine(timezone)}, on the default branch next at`,
    ...next.map((tick) => `  ${tick}`),
  ]);
}

function defaultTask(project: Project): string {
  const { tasks, message } = decideRequest(project, null);
  const [task] = tasks;
  if (task !== undefined) return task;
  throw inputFault(`${message} Name one: ame plan ${project.tasks[0]?.name ?? '<task>'}`);
}

function planOf(project: Project, task: string): ReturnType<typeof planTask> {
  // A better word than the plan's own: it knows what there is.
  const decision = decideRequest(project, task);
  if (decision.outcome === 'no-run') throw inputFault(decision.message);
  try {
    return planTask(project, task);
  } catch (error) {
    throw error instanceof PlanError ? inputFault(error.message, { cause: error }) : error;
  }
}

function planLines(
  { colors }: Terminal,
  plan: Plan,
  edges: readonly Edge[],
  digest: string,
): readonly string[] {
  const into = Map.groupBy(edges, ({ to }) => to);
  const digits = String(plan.tasks.length).length;
  const lines = plan.tasks.flatMap((task, at) => {
    const number = `${String(at + 1).padStart(digits)}.`;
    const indent = ' '.repeat(digits + 2);
    const condition = task.gates.at(-1)?.if ?? 'success';
    const [first = '', ...rest] = task.script.trim().split('\n');
    return [
      `${number} ${colors.bold(plainLine(task.name))}${condition === 'success' ? '' : `  if: ${condition}`}`,
      `${indent}${colors.dim(`$ ${plainLine(first)}${rest.length > 0 ? ' …' : ''}`)}`,
      ...(into.get(task.name) ?? []).map(
        (edge) => `${indent}after ${plainLine(edge.from)}: ${reasonOf(edge)}`,
      ),
    ];
  });
  return [
    `${colors.bold(plainLine(plan.project))}: ${plainLine(plan.task)}`,
    '',
    ...lines,
    '',
    `digest ${digest}`,
  ];
}

function reasonOf({ why, line }: Edge): string {
  switch (why) {
    case 'order':
      return `line ${line} has no needs, so it follows the task written above it`;
    case 'needs':
      return `needs in line ${line}`;
    case 'pipeline':
      return `its pipeline comes after it (line ${line})`;
  }
}
