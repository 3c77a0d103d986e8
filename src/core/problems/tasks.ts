import { all, counted, shown } from './wording.ts';
import { define } from './definition.ts';

/** Tasks that do not fit together. */
export const taskProblems = {
  'no-command': define<{ task: string }>({
    severity: 'error',
    absence: true,
    explanation: 'A task has exactly one of `runcommand`, `pipeline` and `taskref`.',
    example: 'projectname: spam\ntasks:\n  train: {image: python:3.12}\n',
    message: ({ task }) => `The task ${shown(task)} says nothing to do.`,
    remedy: () =>
      'Give it one of `runcommand`, `pipeline` or `taskref`, as in `runcommand: python train.py`.',
  }),
  'empty-command': define<{ task: string }>({
    severity: 'error',
    explanation: 'An empty command would do nothing and succeed.',
    example: 'projectname: spam\ntasks:\n  train: {runcommand: ""}\n',
    message: ({ task }) => `The command of ${shown(task)} is empty.`,
    remedy: () =>
      'Write what is to be run, as in `runcommand: python train.py`; for a task that does nothing, `runcommand: "true"`.',
  }),
  'empty-pipeline': define<{ task: string }>({
    severity: 'error',
    absence: true,
    explanation: 'A pipeline has at least one task.',
    example: 'projectname: spam\ntasks:\n  main: {pipeline: {}}\n',
    message: ({ task }) => `The pipeline of ${shown(task)} has no tasks.`,
    remedy: () => 'Put a task in, as in `pipeline: {train: python train.py}`.',
  }),
  'not-on-pipeline': define<{ key: string; task: string }>({
    severity: 'error',
    explanation: 'A pipeline runs nothing itself, so what says how a command runs belongs to its tasks.',
    example:
      'projectname: spam\ntasks:\n  main:\n    image: python:3.12\n    pipeline: {train: python train.py}\n',
    message: ({ key, task }) =>
      `${shown(key)} has no place beside the ${shown('pipeline')} of ${shown(task)}.`,
    remedy: ({ key }) => `Move ${shown(key)} to those tasks of the pipeline that need it.`,
  }),
  'not-beside-taskref': define<{ key: string; task: string }>({
    severity: 'error',
    explanation: 'A `taskref` takes a task as it stands; only `needs`, `if` and `env` can be added.',
    example:
      'projectname: spam\ntasks:\n  main:\n    pipeline:\n      up: {taskref: upload, timeout: 1h}\n  upload: python upload.py\n',
    message: ({ key }) => `${shown(key)} has no place beside a ${shown('taskref')}.`,
    remedy: ({ key, task }) => `Move ${shown(key)} to the task ${shown(task)} itself.`,
  }),
  'needs-outside-pipeline': define<{ task: string }>({
    severity: 'error',
    explanation: 'Only tasks of a pipeline have an order among themselves.',
    example:
      'projectname: spam\ntasks:\n  fetch: python fetch.py\n  train: {needs: [fetch], runcommand: python train.py}\n',
    message: ({ task }) => `${shown(task)} is in no pipeline, so it cannot need another task.`,
    remedy: () =>
      'Put both under one `pipeline`, as in `main: {pipeline: {fetch: …, train: {needs: [fetch], …}}}`.',
  }),
  'unknown-task': define<{
    name: string;
    where: string;
    nearest: string | null;
    known: readonly string[];
    hint: string | null;
  }>({
    severity: 'error',
    absence: true,
    explanation: 'A task is named that does not exist where it is looked for.',
    example:
      'projectname: spam\ntasks:\n  main:\n    pipeline:\n      fetch: python fetch.py\n      train: {needs: [fecth], runcommand: python train.py}\n',
    message: ({ name, where }) => `There is no task ${shown(name)} ${where}.`,
    remedy: ({ nearest, known, hint }) => {
      if (hint !== null) return hint;
      if (nearest !== null) return `Write ${shown(nearest)}.`;
      if (known.length === 0) return 'Add it first.';
      return `Write ${known.length === 1 ? '' : 'one of '}${all(known)}, or add it.`;
    },
  }),
  'key-as-name': define<{ key: string; above: string }>({
    severity: 'warning',
    explanation:
      'A task is called like a key of tasks and follows a task with nothing in it, so it probably lacks indentation.',
    example: 'projectname: spam\ntasks:\n  train:\n  runcommand: python train.py\n',
    message: ({ key }) => `This makes a task that is called ${shown(key)}.`,
    remedy: ({ key, above }) =>
      `Indent ${shown(key)} deeper if it belongs to ${shown(above)}, or give the task another name.`,
  }),
  'repeated-need': define<{ name: string }>({
    severity: 'warning',
    explanation: 'Needing a task twice is needing it once.',
    example:
      'projectname: spam\ntasks:\n  main:\n    pipeline:\n      a: python a.py\n      b: {needs: [a, a], runcommand: python b.py}\n',
    message: ({ name }) => `${shown(name)} is already needed.`,
    remedy: () => 'Delete it.',
  }),
  cycle: define<{
    tasks: readonly string[];
    implicit: readonly { task: string; after: string }[];
    by: 'needs' | 'taskref';
  }>({
    severity: 'error',
    explanation: 'Tasks that wait for each other never start.',
    example:
      'projectname: spam\ntasks:\n  main:\n    pipeline:\n      a: {needs: [b], runcommand: python a.py}\n      b: {needs: [a], runcommand: python b.py}\n',
    message: ({ tasks, implicit, by }) => {
      const chain = [...tasks, ...tasks.slice(0, 1)].map(shown);
      const shownChain = chain.length > 9 ? [...chain.slice(0, 4), '…', ...chain.slice(-4)] : chain;
      if (by === 'taskref') return `The task contains itself: ${shownChain.join(' takes ')}.`;
      const order = implicit[0];
      return (
        `The tasks wait for each other: ${shownChain.join(' needs ')}.` +
        (order === undefined
          ? ''
          : ` (${shown(order.task)} has no ${shown('needs')}, so it comes after ${shown(order.after)}.)`)
      );
    },
    remedy: ({ implicit, by }) => {
      const order = implicit[0];
      if (by === 'taskref') return 'Take one of the references away.';
      return order === undefined
        ? 'Take one of the `needs` entries away.'
        : `Write ${shown('needs: []')} at ${shown(order.task)}, or write it above ${shown(order.after)}.`;
    },
  }),
  'too-nested': define<{ most: number; through: string | null }>({
    severity: 'error',
    explanation: 'Pipelines may stand inside pipelines four deep, references counted.',
    example:
      'projectname: spam\ntasks:\n  a: {pipeline: {b: {pipeline: {c: {pipeline: {d: {pipeline: {e: {pipeline: {f: "true"}}}}}}}}}}\n',
    message: ({ most, through }) =>
      through === null
        ? `Pipelines are nested more than ${most} deep here.`
        : `With what ${shown(through)} contains, pipelines are nested more than ${most} deep here.`,
    remedy: () => 'Write the tasks of the innermost pipeline into the one around it.',
  }),
  'too-many-tasks': define<{ count: number; most: number }>({
    severity: 'error',
    explanation: 'A file may declare 256 tasks, those in pipelines counted.',
    example: 'tasks: {t1: "true", t2: "true", … t257: "true"}',
    message: ({ count, most }) =>
      `The file declares ${counted(count, 'task')}; ${most} are the most, and this is the first beyond.`,
    remedy: () => 'Let one command do the work of several, or divide the project.',
  }),
  'too-many-schedules': define<{ count: number; most: number }>({
    severity: 'error',
    explanation: 'A file may have 256 recurring tasks.',
    example: 'recurring_tasks: {r1: {taskref: main, schedule: "@daily"}, … r257: …}',
    message: ({ count, most }) =>
      `The file has ${counted(count, 'recurring task')}; ${most} are the most, and this is the first beyond.`,
    remedy: () => 'Let one schedule run a pipeline of several tasks, or divide the project.',
  }),
  'plan-too-large': define<{ task: string; most: number }>({
    severity: 'error',
    explanation: 'A run may have 10,000 tasks, counted after every `taskref` has been followed.',
    example: 'projectname: spam # and pipelines that take each other ten times over, four deep',
    message: ({ task, most }) => `A run of ${shown(task)} would have more than ${counted(most, 'task')}.`,
    remedy: () => 'Take the pipelines inside it fewer times, or let one command do the work of several.',
  }),
  'nothing-to-run': define<{ trigger: string; tasks: readonly string[] }>({
    severity: 'warning',
    absence: true,
    explanation:
      'Without `run` a trigger runs the task `main`, or the only task; where there is neither, it runs nothing.',
    example: 'projectname: spam\non: push\ntasks:\n  train: python train.py\n  test: python test.py\n',
    message: ({ trigger, tasks }) =>
      tasks.length === 0
        ? `A ${trigger} will run nothing: the file has no tasks.`
        : `A ${trigger} will run nothing: of the ${counted(tasks.length, 'task')} none is called ${shown('main')}.`,
    remedy: ({ trigger, tasks }) =>
      `Say which, as in ${shown(`${trigger === 'push' ? 'push' : 'pull_request'}: {run: [${tasks[0] ?? 'main'}]}`)}, or name a task ${shown('main')}.`,
  }),
  'no-tasks': define<Record<string, never>>({
    severity: 'warning',
    absence: true,
    explanation: 'A file without tasks is checked, and nothing can run.',
    example: 'projectname: spam\n',
    message: () => 'The file has no tasks, so nothing can run.',
    remedy: () => 'Add one, as in `tasks: {train: python train.py}`.',
  }),
};
