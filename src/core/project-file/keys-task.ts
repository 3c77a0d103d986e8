import { key, keyTable, older } from './key-table.ts';
import type { Schema } from './key-table.ts';
import { laterKeys } from './keys-later.ts';
import { conditionSchema, defined, oneOrMore, table, named } from './shapes.ts';

const pipelineMap: Schema = named(table('pipelineTask'), 1);

export const taskKeys = keyTable({
  what: 'a task',
  path: 'tasks.NAME',
  synonyms: {
    task: 'taskref',
    run: 'runcommand',
    cmd: 'runcommand',
    script: 'runcommand',
    steps: 'pipeline',
    tasks: 'pipeline',
    depends_on: 'needs',
    dependencies: 'needs',
    after: 'needs',
    retry: 'retries',
    environment: 'env',
    when: 'if',
  },
  hints: {
    steps: 'Write `pipeline`, a map of names to tasks.',
    tasks: 'Write `pipeline`, a map of names to tasks.',
    gpus: 'Put it under `resources`, as in `resources: {gpus: 1}`.',
    cpu: 'Put it under `resources`, as in `resources: {cpu: 2}`.',
    memory: 'Put it under `resources`, as in `resources: {memory: 8Gi}`.',
    storage: 'Put it under `resources`, as in `resources: {storage: 50Gi}`.',
    vram: 'Put it under `resources`, as in `resources: {gpus: 1, vram: 24Gi}`.',
    schedule:
      'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    name: 'Delete it; the key above is the name of the task.',
  },
  keys: [
    key(
      'runcommand',
      'text or list of lines',
      defined('command'),
      'The command: one sh script under -e, started in the root of the workspace.',
    ),
    key(
      'pipeline',
      'map of name to task',
      { anyOf: [pipelineMap, { type: 'array', items: table('listedTask'), minItems: 1 }] },
      'Tasks that run in order; one without `needs` follows the one above it.',
    ),
    key('taskref', 'name', defined('name'), 'A task of the file, taken as it stands.'),
    key(
      'needs',
      'name or list of names',
      oneOrMore(defined('name')),
      'Tasks of the same pipeline that must have ended first; `[]` starts at once.',
      'the task above',
    ),
    key(
      'if',
      'success | failure | always',
      conditionSchema,
      'When to run, looking at everything before it.',
      'success',
    ),
    key(
      'env',
      'map of variable to text',
      { anyOf: [table('variables'), { type: 'array', items: table('variables') }] },
      'Environment variables.',
    ),
    key(
      'secrets',
      'map of variable to secret, or list of names',
      {
        anyOf: [
          defined('name'),
          table('secretVariables'),
          { type: 'array', items: { anyOf: [defined('name'), table('secretVariables')] } },
        ],
      },
      'Environment variables whose values are secrets of the project.',
    ),
    key('resources', 'map', table('resources'), 'What the command needs of a machine.'),
    key('image', 'text', defined('text'), 'Container image to run in.', "the administrator's default image"),
    key(
      'timeout',
      'duration or map',
      { anyOf: [defined('duration'), table('timeout')] },
      'How long an attempt may run and wait.',
      '24h of running, any waiting',
    ),
    key(
      'retries',
      'number or map',
      { anyOf: [{ type: 'integer', minimum: 0, maximum: 100 }, table('retries')] },
      "Tries after the first, for the command's own failures.",
      '0',
    ),
    key(
      'artifacts',
      'pattern or list of patterns',
      oneOrMore(defined('glob')),
      'Files that a person gets back.',
      'every file that is new or changed',
    ),
    older('command', 'runcommand', defined('command')),
    older('taskRef', 'taskref', defined('name')),
    older('executor', null, { anyOf: [{ enum: [null, ''] }, table('executor')] }),
    ...laterKeys,
  ],
});

/** Beside the keys of a task, an item of the older list of tasks says its name. */
export const olderTaskKeys = keyTable({
  what: 'a task',
  path: 'tasks.NAME',
  synonyms: taskKeys.synonyms,
  hints: taskKeys.hints,
  keys: [...taskKeys.keys, older('name', null, defined('name'))],
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
