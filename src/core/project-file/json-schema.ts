import type { Key, KeyTable, Schema } from './key-table.ts';
import { concurrencyKeys, projectKeys, recurringTaskKeys } from './keys-project.ts';
import { executorKeys, olderTaskKeys, secretKeys, taskKeys, variableKeys } from './keys-task.ts';
import { onKeys, pullRequestKeys, pushKeys } from './keys-trigger.ts';
import { resourceKeys, retriesKeys, timeoutKeys } from './keys-limits.ts';
import { definitions } from './shapes.ts';

/**
 * The JSON Schema (draft-07) of ame.yaml, for editors. It says what can be said of single values and maps;
 * references between tasks, cycles and sums are left to `parseProjectFile`.
 */
export function projectFileJsonSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'ame.json',
    title: 'ame.yaml',
    description: 'A project of AME: its tasks, and when they run.',
    ...mapSchema(projectKeys, {
      oneOf: [['projectname'], ['name'], ['projectid']].map((required) => ({ required })),
    }),
    definitions: {
      ...definitions,
      task: taskSchema(taskKeys, { needs: false }),
      pipelineTask: taskSchema(taskKeys, {}),
      listedTask: { ...taskMap(olderTaskKeys, {}), required: ['name'] },
      variables: entryOrMap(variableKeys, definitions.text, [
        ['envkey', 'name', 'key'],
        ['value', 'val'],
      ]),
      secretVariables: entryOrMap(secretKeys, { $ref: '#/definitions/name' }, [
        ['name', 'key'],
        ['envkey', 'injectAs'],
      ]),
      resources: mapSchema(resourceKeys),
      timeout: mapSchema(timeoutKeys),
      retries: mapSchema(retriesKeys, { required: ['max'] }),
      executor: mapSchema(executorKeys),
      on: mapSchema(onKeys),
      push: mapSchema(pushKeys),
      pullRequest: mapSchema(pullRequestKeys),
      concurrency: mapSchema(concurrencyKeys),
      recurringTask: mapSchema(recurringTaskKeys, {
        required: ['schedule'],
        anyOf: [{ required: ['taskref'] }, { required: ['taskRef'] }],
      }),
    },
  };
}

function mapSchema(
  table: KeyTable,
  more: Schema = {},
  replaced: Readonly<Record<string, boolean>> = {},
): Schema {
  const properties = table.keys.flatMap((key) => {
    if (key.availability === 'later') return [];
    const isReplaced = Object.hasOwn(replaced, key.name);
    return [[key.name, isReplaced ? (replaced[key.name] ?? true) : propertySchema(key)] as const];
  });
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    // Keys of the user's own; everything else that is not listed is a mistake or not available yet.
    patternProperties: { '^x-': true },
    additionalProperties: false,
    ...more,
  };
}

function propertySchema(key: Exclude<Key, { availability: 'later' }>): Schema {
  const fallback = key.availability === 'now' && key.default !== null ? ` Default: ${key.default}.` : '';
  // Beside a $ref draft-07 ignores every other keyword, the description included.
  return { title: key.name, description: key.description + fallback, allOf: [key.schema] };
}

function taskSchema(table: KeyTable, replaced: Readonly<Record<string, boolean>>): Schema {
  return { anyOf: [{ $ref: '#/definitions/command' }, taskMap(table, replaced)] };
}

const kinds = ['runcommand', 'command', 'executor', 'pipeline', 'taskref', 'taskRef'];
const notOnPipeline = ['retries', 'resources', 'image', 'artifacts'];
const notBesideTaskref = [...notOnPipeline, 'secrets', 'timeout'];

function taskMap(table: KeyTable, replaced: Readonly<Record<string, boolean>>): Schema {
  return mapSchema(
    table,
    {
      oneOf: kinds.map((kind) => ({ required: [kind] })),
      dependencies: {
        pipeline: without(notOnPipeline),
        taskref: without(notBesideTaskref),
        taskRef: without(notBesideTaskref),
      },
    },
    replaced,
  );
}

function without(keys: readonly string[]): Schema {
  return { not: { anyOf: keys.map((key) => ({ required: [key] })) } };
}

/** A map that has one of the keys of an entry is one entry; every other map is variable to value. */
function entryOrMap(table: KeyTable, value: Schema, required: readonly (readonly string[])[]): Schema {
  const entryKeys = ['envkey', 'value', 'name', 'key', 'val', 'injectAs'];
  return {
    type: 'object',
    if: { anyOf: entryKeys.map((key) => ({ required: [key] })) },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: mapSchema(table, {
      allOf: required.map((keys) => ({ anyOf: keys.map((key) => ({ required: [key] })) })),
    }),
    else: {
      propertyNames: { anyOf: [{ pattern: '^x-' }, { $ref: '#/definitions/variableName' }] },
      patternProperties: { '^x-': true },
      additionalProperties: value,
    },
  };
}

/** One key of the file as its reference shows it. */
export type KeyReference = {
  /** `tasks.NAME.resources.cpu`. */
  readonly path: string;
  readonly name: string;
  readonly availability: Key['availability'];
  /** What stands after the colon, in words; `null` for names that are kept for later. */
  readonly shape: string | null;
  readonly default: string | null;
  readonly description: string;
};

/** Every key of the file, table by table, in the order of the docs. */
export function keyReference(): readonly KeyReference[] {
  const tables: readonly KeyTable[] = [
    projectKeys,
    taskKeys,
    variableKeys,
    secretKeys,
    resourceKeys,
    timeoutKeys,
    retriesKeys,
    onKeys,
    pushKeys,
    pullRequestKeys,
    concurrencyKeys,
    recurringTaskKeys,
    executorKeys,
  ];
  return tables.flatMap((table) =>
    table.keys.map((key) => ({
      path: table.path === '' ? key.name : `${table.path}.${key.name}`,
      name: key.name,
      availability: key.availability,
      shape: key.availability === 'now' ? key.shape : null,
      default: key.availability === 'now' ? key.default : null,
      description: key.description,
    })),
  );
}
