import type { CommandTask, Condition, PipelineTask, Project, Reference, Task, Timeout } from '../project.ts';
import { PlanError } from './plan-error.ts';
import { layer, noVariables, overlay, type Variables } from './variables.ts';

/** The same bound as the file's check: a plan of more tasks is refused. */
export const maxPlannedTasks = 10_000;

/** A task once its references are followed; names are those of the plan, '' for a pipeline that is the plan. */
export type TaskNode = {
  readonly name: string;
  /** What its neighbours call it. */
  readonly localName: string;
  readonly line: number;
  readonly needs: readonly Reference[] | null;
  readonly if: Condition;
  readonly body:
    | { readonly kind: 'command'; readonly task: CommandTask; readonly variables: Variables }
    | { readonly kind: 'pipeline'; readonly children: readonly TaskNode[]; readonly timeout: Timeout };
};

type Place = {
  /** What the enclosing pipelines give to all their tasks. */
  readonly given: Variables;
  /** What references say on top of the task they take. */
  readonly imposed: Variables;
  /** Names of the tasks that references have led through, to notice a circle. */
  readonly through: readonly string[];
};

/** Follows the references of one task of the file. Throws `PlanError`. */
export function expandTask(project: Project, taskName: string): TaskNode {
  const declared = new Map(project.tasks.map((task) => [task.name, task]));
  let count = 0;

  function find(name: string): Task {
    const task = declared.get(name);
    if (task === undefined) throw new PlanError('unknown-task', `There is no task "${name}" in the file.`);
    return task;
  }

  function countTask(): void {
    count++;
    if (count > maxPlannedTasks) {
      throw new PlanError('too-many-tasks', `"${taskName}" would be more than ${maxPlannedTasks} tasks.`);
    }
  }

  function expandPipeline(pipeline: PipelineTask, name: string, place: Place): readonly TaskNode[] {
    const given = layer(place.given, pipeline.env, pipeline.secrets);
    // an empty one counts too, or references could multiply nothing for ever
    if (pipeline.tasks.length === 0) countTask();
    return pipeline.tasks.map((task) =>
      expand(task, name === '' ? task.name : `${name}/${task.name}`, { ...place, given }),
    );
  }

  function expand(task: Task, name: string, place: Place): TaskNode {
    const { position, needs } = task;
    const common = { name, localName: task.name, line: position.line, needs };
    if (task.kind === 'taskref') {
      const { name: target } = task.taskref;
      if (place.through.includes(target)) {
        const circle = [...place.through.slice(place.through.indexOf(target)), target].join('" -> "');
        throw new PlanError('reference-cycle', `References lead in a circle: "${circle}".`);
      }
      const taken = expand(find(target), name, {
        given: place.given,
        imposed: overlay(layer(noVariables, task.env, []), place.imposed),
        through: [...place.through, target],
      });
      // The task is taken as it stands, its own condition too, unless the reference names another one.
      return { ...common, if: task.if === 'success' ? taken.if : task.if, body: taken.body };
    }
    if (task.kind === 'pipeline') {
      const children = expandPipeline(task, name, place);
      return { ...common, if: task.if, body: { kind: 'pipeline', children, timeout: task.timeout } };
    }
    countTask();
    const variables = overlay(layer(place.given, task.env, task.secrets), place.imposed);
    return { ...common, if: task.if, body: { kind: 'command', task, variables } };
  }

  const root = expand(find(taskName), '', { given: noVariables, imposed: noVariables, through: [taskName] });
  return root.body.kind === 'command' ? { ...root, name: taskName } : root;
}
