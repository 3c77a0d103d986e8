import { key, keyTable, older } from './key-table.ts';
import { laterKeys } from './keys-later.ts';
import {
  busySchema,
  catchups,
  choice,
  defined,
  groups,
  oneOrMore,
  overlaps,
  table,
  triggers,
  named,
} from './shapes.ts';

export const projectKeys = keyTable({
  what: 'a project',
  path: '',
  required: ['projectname'],
  synonyms: { jobs: 'tasks', steps: 'tasks' },
  hints: {
    runcommand: 'Put it into a task, as in `tasks: {main: {runcommand: …}}`.',
    pipeline: 'Put it into a task, as in `tasks: {main: {pipeline: …}}`.',
    schedule:
      'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    env: 'Put it into the tasks that need it, or beside a `pipeline` for all of its tasks.',
    secrets: 'Put it into the tasks that need it, or beside a `pipeline` for all of its tasks.',
    resources: 'Put it into the tasks that need it.',
    image: 'Put it into the tasks that need it.',
    timeout: 'Put it into the tasks that need it.',
    retries: 'Put it into the tasks that need it.',
    pipelines: 'Write `tasks: {main: {pipeline: …}}`.',
    push: 'Put it under `on`, as in `on: push`.',
    pull_request: 'Put it under `on`, as in `on: [push, pull_request]`.',
    version: 'Delete it; the file has no version.',
  },
  keys: [
    key('projectname', 'name', defined('name'), 'Name of the project, unique in its repository.'),
    key(
      'tasks',
      'map of name to task',
      {
        anyOf: [named(table('task')), { type: 'array', items: table('listedTask') }],
      },
      'What can run, in the order of the file.',
    ),
    key(
      'on',
      'push | pull_request | list of these | map',
      { anyOf: [oneOrMore(choice(triggers)), table('on')] },
      'Which pushes and pull requests start a run.',
      'a push that adds or changes ame.yaml',
    ),
    key(
      'concurrency',
      'map',
      table('concurrency'),
      'What a new run does to the runs before it.',
      'pushes run side by side, a pull request cancels its earlier runs',
    ),
    key(
      'recurring_tasks',
      'map of name to recurring task',
      named(table('recurringTask')),
      'Tasks that run by the clock, as the default branch declares them.',
    ),
    older('name', 'projectname', defined('name')),
    older('projectid', 'projectname', defined('name')),
    ...laterKeys,
  ],
});

export const concurrencyKeys = keyTable({
  what: '`concurrency`',
  path: 'concurrency',
  hints: {
    'cancel-in-progress': 'Write `when_busy: cancel`.',
    cancel_in_progress: 'Write `when_busy: cancel`.',
  },
  keys: [
    key(
      'group',
      'branch | task',
      choice(groups),
      'Runs that concern each other: of one task on one ref, or of one task.',
      'branch',
    ),
    key(
      'when_busy',
      'allow | queue | cancel',
      busySchema,
      'What a new run does while one of its group is running.',
      'allow for pushes, cancel for pull requests',
    ),
  ],
});

export const recurringTaskKeys = keyTable({
  what: 'a recurring task',
  path: 'recurring_tasks.NAME',
  required: ['taskref', 'schedule'],
  synonyms: { cron: 'schedule', task: 'taskref', run: 'taskref', tz: 'timezone' },
  hints: {
    runcommand: 'Define the task under `tasks` and name it in `taskref`.',
    pipeline: 'Define the task under `tasks` and name it in `taskref`.',
  },
  keys: [
    key('taskref', 'name', defined('name'), 'The task to run.'),
    key(
      'schedule',
      'five cron fields, or @daily and kin',
      { type: 'string', pattern: '^\\s*(?:@[a-z]+|\\S+(?:\\s+\\S+){4})\\s*$' },
      'When to run.',
    ),
    key('timezone', 'IANA time zone', { type: 'string' }, 'Whose clock the schedule goes by.', 'UTC'),
    key(
      'catchup',
      'none | last | all',
      choice(catchups),
      'What to do about ticks that were missed while AME was down; at most 100.',
      'last',
    ),
    key(
      'overlap',
      'skip | queue | allow',
      choice(overlaps),
      'What a tick does while the run before is still going.',
      'skip',
    ),
    older('taskRef', 'taskref', defined('name')),
  ],
});
