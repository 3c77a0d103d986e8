import { key, keyTable, older } from './key-table.ts';
import type { LaterKey, Schema } from './key-table.ts';
import { busySchema, catchups, choice, conditionSchema, defined, forkRules, groups, oneOrMore, overlaps, triggers } from './shapes.ts';

/** An object schema of one of the tables below. */
function table(name: string): Schema {
  return { $ref: `#/definitions/${name}` };
}

const planned = {
  'kind, version and manager of the Python environment': ['python'],
  'parameters and variants of a run': ['params', 'matrix', 'max_parallel', 'sweep'],
  'named and versioned data': ['datasets', 'models', 'inputs', 'outputs', 'data'],
  'contracts of a task': ['kind'],
  'results and gates': ['metrics', 'report', 'expect', 'warn', 'plots'],
  'skipping what has not changed': ['cache'],
  'resuming what was interrupted': ['checkpoint'],
  'how models are compared': ['benchmarks', 'io', 'against'],
  'serving and releases': ['endpoint', 'promote', 'traffic'],
  'outside tools and recipes': ['requires', 'uses', 'with', 'bind', 'templates'],
  'several projects in one repository': ['projects', 'watch', 'images'],
  'notebooks, messages, approvals and shared defaults': ['notebook', 'notify', 'environments', 'defaults', 'visibility'],
  'overriding what AME does around a command': ['setup', 'shell', 'workdir', 'fetch', 'collect'],
  'backfills in parts': ['shards'],
} as const;

/** Names that are kept free, in a project and in its tasks alike. */
export const laterKeys: readonly LaterKey[] = Object.entries(planned).flatMap(([description, names]) =>
  names.map((name): LaterKey => ({ name, availability: 'later', description })),
);

const taskMap: Schema = { type: 'object', additionalProperties: defined('task') };

export const projectKeys = keyTable({
  what: 'a project',
  path: '',
  required: ['projectname'],
  hints: {
    runcommand: 'Put it into a task, as in `tasks: {main: {runcommand: …}}`.',
    pipeline: 'Put it into a task, as in `tasks: {main: {pipeline: …}}`.',
    schedule: 'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    env: 'Put it into the tasks that need it, or beside a `pipeline` for all of its tasks.',
    secrets: 'Put it into the tasks that need it, or beside a `pipeline` for all of its tasks.',
    resources: 'Put it into the tasks that need it.',
    image: 'Put it into the tasks that need it.',
    timeout: 'Put it into the tasks that need it.',
    retries: 'Put it into the tasks that need it.',
    jobs: 'Write `tasks`.',
    steps: 'Write `tasks`.',
    pipelines: 'Write `tasks: {main: {pipeline: …}}`.',
    push: 'Put it under `on`, as in `on: push`.',
    pull_request: 'Put it under `on`, as in `on: [push, pull_request]`.',
    version: 'Delete it; the file has no version.',
  },
  keys: [
    key('projectname', 'name', defined('name'), 'Name of the project, unique in its repository.'),
    key('tasks', 'map of name to task', { anyOf: [taskMap, { type: 'array', items: { type: 'object' } }] }, 'What can run, in the order of the file.'),
    key(
      'on',
      'push | pull_request | list of these | map',
      { anyOf: [oneOrMore(choice(triggers)), table('on')] },
      'Which pushes and pull requests start a run.',
      'a push that adds or changes ame.yaml',
    ),
    key('concurrency', 'map', table('concurrency'), 'What a new run does to the runs before it.', 'pushes run side by side, a pull request cancels its earlier runs'),
    key(
      'recurring_tasks',
      'map of name to recurring task',
      { type: 'object', additionalProperties: table('recurringTask') },
      'Tasks that run by the clock, as the default branch declares them.',
    ),
    older('name', 'projectname', defined('name')),
    older('projectid', 'projectname', defined('name')),
    ...laterKeys,
  ],
});

export const taskKeys = keyTable({
  what: 'a task',
  path: 'tasks.NAME',
  hints: {
    run: 'Write `runcommand`.',
    cmd: 'Write `runcommand`.',
    script: 'Write `runcommand`.',
    steps: 'Write `pipeline`, a map of names to tasks.',
    tasks: 'Write `pipeline`, a map of names to tasks.',
    depends_on: 'Write `needs`.',
    dependencies: 'Write `needs`.',
    after: 'Write `needs`.',
    retry: 'Write `retries`.',
    gpus: 'Put it under `resources`, as in `resources: {gpus: 1}`.',
    cpu: 'Put it under `resources`, as in `resources: {cpu: 2}`.',
    memory: 'Put it under `resources`, as in `resources: {memory: 8Gi}`.',
    storage: 'Put it under `resources`, as in `resources: {storage: 50Gi}`.',
    vram: 'Put it under `resources`, as in `resources: {gpus: 1, vram: 24Gi}`.',
    schedule: 'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    environment: 'Write `env`.',
    when: 'Write `if`.',
  },
  keys: [
    key('runcommand', 'text or list of lines', defined('command'), 'The command: one sh script under -e, started in the root of the workspace.'),
    key('pipeline', 'map of name to task', { anyOf: [{ ...taskMap, minProperties: 1 }, { type: 'array', items: { type: 'object' }, minItems: 1 }] }, 'Tasks that run in order; one without `needs` follows the one above it.'),
    key('taskref', 'name', defined('name'), 'A task of the file, taken as it stands.'),
    key('needs', 'name or list of names', oneOrMore(defined('name')), 'Tasks of the same pipeline that must have ended first; `[]` starts at once.', 'the task above'),
    key('if', 'success | failure | always', conditionSchema, 'When to run, looking at everything before it.', 'success'),
    key('env', 'map of variable to text', { anyOf: [table('variables'), { type: 'array', items: table('variables') }] }, 'Environment variables.'),
    key('secrets', 'map of variable to secret, or list of names', { anyOf: [defined('name'), table('secretVariables'), { type: 'array', items: { anyOf: [defined('name'), table('secretVariables')] } }] }, 'Environment variables whose values are secrets of the project.'),
    key('resources', 'map', table('resources'), 'What the command needs of a machine.'),
    key('image', 'text', defined('text'), 'Container image to run in.', "the administrator's default image"),
    key('timeout', 'duration or map', { anyOf: [defined('duration'), table('timeout')] }, 'How long an attempt may run and wait.', '24h of running, any waiting'),
    key('retries', 'number or map', { anyOf: [{ type: 'integer', minimum: 0, maximum: 100 }, table('retries')] }, "Tries after the first, for the command's own failures.", '0'),
    key('artifacts', 'pattern or list of patterns', oneOrMore(defined('glob')), 'Files that a person gets back.', 'every file that is new or changed'),
    older('command', 'runcommand', defined('command')),
    older('taskRef', 'taskref', defined('name')),
    older('executor', null, { anyOf: [{ type: 'null' }, table('executor')] }),
    ...laterKeys,
  ],
});

/** Beside the keys of a task, an item of the older list of tasks says its name. */
export const olderTaskKeys = keyTable({
  what: 'a task',
  path: 'tasks.NAME',
  hints: taskKeys.hints,
  keys: [...taskKeys.keys, key('name', 'name', defined('name'), 'Name of the task, in the older list of tasks.')],
});

export const executorKeys = keyTable({
  what: 'an executor',
  path: 'tasks.NAME.executor',
  keys: [
    key('command', 'text', defined('command'), 'The command of the older form.'),
    key('pythonVersion', 'text', defined('text'), 'Python version of the older form; it has no effect.'),
  ],
});

export const variableKeys = keyTable({
  what: 'an entry of `env`',
  path: 'tasks.NAME.env',
  hints: {
    injectAs: 'Write `envkey`, or put the entry under `secrets`.',
  },
  keys: [
    key('envkey', 'variable', defined('variableName'), 'Name of the variable.'),
    key('value', 'text', defined('text'), 'Its value.'),
    older('name', 'envkey', defined('variableName')),
    older('key', 'envkey', defined('variableName')),
    older('val', 'value', defined('text')),
  ],
});

export const secretKeys = keyTable({
  what: 'an entry of `secrets`',
  path: 'tasks.NAME.secrets',
  hints: {
    value: 'Values of secrets never stand in the file; store it with `ame secret set` and write its `name`.',
    val: 'Values of secrets never stand in the file; store it with `ame secret set` and write its `name`.',
  },
  keys: [
    key('name', 'name', defined('name'), 'Name of the secret, as in `ame secret set NAME`.'),
    key('envkey', 'variable', defined('variableName'), 'Name of the variable that holds it.'),
    older('key', 'name', defined('name')),
    older('injectAs', 'envkey', defined('variableName')),
  ],
});

export const resourceKeys = keyTable({
  what: '`resources`',
  path: 'tasks.NAME.resources',
  hints: { ram: 'Write `memory`.', disk: 'Write `storage`.', gpu: 'Write `gpus`.', mem: 'Write `memory`.' },
  keys: [
    key('cpu', 'number or quantity', defined('cpu'), 'Cores.', "the administrator's default"),
    key('memory', 'size or start..ceiling', defined('sizeRange'), 'Memory; a run that was out of memory is tried again with more, up to the ceiling.', "the administrator's default"),
    key('storage', 'size', defined('size'), 'Room for what the task writes, on top of what it inherits.', "the administrator's default"),
    key('gpus', 'whole number', { type: 'integer', minimum: 0, maximum: 1024 }, 'Whole GPUs.', '0'),
    key('vram', 'size', defined('size'), 'Memory of each GPU; picks the machines.', 'any'),
    older('nvidia.com/gpu', 'gpus', { type: ['integer', 'string'] }),
  ],
});

export const timeoutKeys = keyTable({
  what: '`timeout`',
  path: 'tasks.NAME.timeout',
  keys: [
    key('run', 'duration', defined('duration'), 'Of running, for each attempt.', '24h'),
    key('queue', 'duration', defined('duration'), 'Of waiting, from the moment the task is ready.', 'without end'),
  ],
});

export const retriesKeys = keyTable({
  what: '`retries`',
  path: 'tasks.NAME.retries',
  required: ['max'],
  hints: { limit: 'Write `max`.', count: 'Write `max`.', attempts: 'Write `max`, the tries after the first.' },
  keys: [
    key('max', 'whole number', { type: 'integer', minimum: 0, maximum: 100 }, 'Tries after the first.'),
    key('on', 'cause or list of causes', oneOrMore(defined('retryCause'), 1), '`exit:N`, `exit:A-B`, `signal`, `timeout`.', 'any exit code and any signal'),
    key('backoff', 'duration', defined('duration'), 'The first pause; it grows to 5 minutes.', '10s'),
  ],
});

const noFilter: Schema = { type: 'null' };
const refFilter: Schema = { anyOf: [noFilter, oneOrMore(defined('refGlob'), 1)] };
const pathFilter: Schema = { anyOf: [noFilter, oneOrMore(defined('glob'), 1)] };
const runList: Schema = { anyOf: [noFilter, oneOrMore(defined('name'), 1)] };

export const onKeys = keyTable({
  what: '`on`',
  path: 'on',
  hints: {
    schedule: 'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    workflow_dispatch: 'Delete it; every task can be started by hand with `ame run`.',
    pull_request_target: 'Write `pull_request`.',
    merge_request: 'Write `pull_request`.',
    tags: 'Put it under `push`, as in `push: {tags: ["v*"]}`.',
    branches: 'Put it under `push`, as in `push: {branches: [main]}`.',
    paths: 'Put it under `push`, as in `push: {paths: ["src/**"]}`.',
    release: 'Use tags, as in `push: {tags: ["v*"]}`.',
    tag: 'Use `push: {tags: ["*"]}`.',
  },
  keys: [
    key('push', 'map, or nothing for every push', { anyOf: [noFilter, table('push')] }, 'Pushes that start a run.'),
    key('pull_request', 'map, or nothing for every pull request', { anyOf: [noFilter, table('pullRequest')] }, 'Pull requests that start a run.'),
  ],
});

const ignoreHints = {
  'branches-ignore': 'Write `branches` with patterns that begin with `!`, as in `branches: ["!wip/**"]`.',
  'tags-ignore': 'Write `tags` with patterns that begin with `!`.',
  'paths-ignore': 'Write `paths` with patterns that begin with `!`, as in `paths: ["!docs/**"]`.',
  types: 'Delete it; pull requests run when they are opened and when commits are added.',
};

export const pushKeys = keyTable({
  what: '`push`',
  path: 'on.push',
  hints: ignoreHints,
  keys: [
    key('branches', 'pattern or list of patterns', refFilter, 'Branches that count; the last match wins, `!` excludes.', 'every branch, unless `tags` stands alone'),
    key('tags', 'pattern or list of patterns', refFilter, 'Tags that count.', 'none'),
    key('paths', 'pattern or list of patterns', pathFilter, 'Only pushes that change such a file; not applied to tags.', 'any file'),
    key('run', 'task or list of tasks', runList, 'Which tasks to run.', 'main, or the only task'),
  ],
});

export const pullRequestKeys = keyTable({
  what: '`pull_request`',
  path: 'on.pull_request',
  hints: { ...ignoreHints, tags: 'Delete it; a pull request has no tags.' },
  keys: [
    key('branches', 'pattern or list of patterns', refFilter, 'Branches that the pull request goes into.', 'every branch'),
    key('paths', 'pattern or list of patterns', pathFilter, 'Only pull requests that change such a file.', 'any file'),
    key('run', 'task or list of tasks', runList, 'Which tasks to run.', 'main, or the only task'),
    key('forks', 'approve | never', choice(forkRules), 'Pull requests from forks: after an approval, or never.', 'approve'),
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
    key('group', 'branch | task', choice(groups), 'Runs that concern each other: of one task on one ref, or of one task.', 'branch'),
    key('when_busy', 'allow | queue | cancel', busySchema, 'What a new run does while one of its group is running.', 'allow for pushes, cancel for pull requests'),
  ],
});

export const recurringTaskKeys = keyTable({
  what: 'a recurring task',
  path: 'recurring_tasks.NAME',
  required: ['taskref', 'schedule'],
  hints: {
    runcommand: 'Define the task under `tasks` and name it in `taskref`.',
    pipeline: 'Define the task under `tasks` and name it in `taskref`.',
    cron: 'Write `schedule`.',
    task: 'Write `taskref`.',
    run: 'Write `taskref`.',
    tz: 'Write `timezone`.',
  },
  keys: [
    key('taskref', 'name', defined('name'), 'The task to run.'),
    key('schedule', 'five cron fields, or @daily and kin', { type: 'string', pattern: '^\\s*(?:@[a-z]+|\\S+(?:\\s+\\S+){4})\\s*$' }, 'When to run.'),
    key('timezone', 'IANA time zone', { type: 'string' }, 'Whose clock the schedule goes by.', 'UTC'),
    key('catchup', 'none | last | all', choice(catchups), 'What to do about ticks that were missed while AME was down; at most 100.', 'last'),
    key('overlap', 'skip | queue | allow', choice(overlaps), 'What a tick does while the run before is still going.', 'skip'),
    older('taskRef', 'taskref', defined('name')),
  ],
});
