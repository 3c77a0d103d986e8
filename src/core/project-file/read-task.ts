import { conditions } from '../project.ts';
import type { CommandTask, Condition, PipelineTask, Task, TaskReference } from '../project.ts';
import type { Place } from '../problems.ts';
import { olderTaskKeys, taskKeys } from './keys-task.ts';
import { readCommand, readExecutor } from './read-command.ts';
import { readArtifacts } from './read-globs.ts';
import { checkImage } from './image.ts';
import type { Entry, ListNode, MapNode, Node } from './node.ts';
import { findEntry } from './misspelt.ts';
import { readChoice, readFields, readMap, readText } from './read.ts';
import type { Fields } from './read.ts';
import { checkName, positionOf, readReference, readReferences } from './read-name.ts';
import { noResources, readResources } from './read-resources.ts';
import { noRetries, noTimeout, readRetries, readTimeout } from './read-limits.ts';
import { readEnv, readSecrets } from './read-variables.ts';
import type { SetVariables } from './read-variables.ts';
import { shorten, shown } from '../problems/wording.ts';
import type { Report } from './report.ts';

/** A task with its name; `isListed`: it stands in the older list of tasks and says its name itself. */
type Named = { readonly name: string; readonly at: Place; readonly value: Node; readonly isListed?: boolean };

/** `isWhole`: nothing of them was lost, so there are no other tasks. */
type ReadTasks = { readonly tasks: readonly Task[]; readonly isWhole: boolean };

/**
 * The tasks of `tasks` or of a `pipeline`. Every named task is in the answer, also one with problems, so that
 * references to it are not called unknown.
 */
export function readTasks(entry: Entry, isInPipeline: boolean, report: Report): ReadTasks {
  const key = isInPipeline ? 'pipeline' : 'tasks';
  if (isInPipeline && entry.value.kind === 'empty') return { tasks: [], isWhole: true };
  if (entry.value.kind === 'list') return readTaskList(entry.value, entry, isInPipeline, report);
  const write = `Write \`${key}: {train: python train.py}\`.`;
  const map = readMap(
    entry.value,
    { what: `\`${key}\``, expected: 'a map of names to tasks', write },
    report,
  );
  if (map === null) return { tasks: [], isWhole: false };
  let empty: string | null = null;
  const tasks = map.entries.flatMap(({ key, at, value }) => {
    if (key.startsWith('x-')) return [];
    checkName(key, 'the name of a task', at, report);
    if (value.kind === 'empty' && value.written === '') {
      report('empty-key', at, { what: shown(key), means: 'counts as absent' });
      empty = key;
      return [];
    }
    if (empty !== null && presentKeys.has(key)) report('key-as-name', at, { key, above: empty });
    return [readTask({ name: key, at, value }, isInPipeline, report)];
  });
  return { tasks, isWhole: map.isWhole };
}

const presentKeys: ReadonlySet<string> = new Set(
  taskKeys.keys.filter(({ availability }) => availability === 'now').map(({ name }) => name),
);

/** The older form: a list whose items say their `name`. */
function readTaskList(
  { items, isWhole: areAll }: ListNode,
  entry: Entry,
  isInPipeline: boolean,
  report: Report,
): ReadTasks {
  const key = isInPipeline ? 'pipeline' : 'tasks';
  const first = items[0]?.kind === 'map' ? findEntry(items[0], olderTaskKeys, 'name')?.value : undefined;
  const name = first?.kind === 'text' ? shorten(first.text) : 'train';
  report('older-spelling', entry.at, {
    written: `A list of ${isInPipeline ? '`pipeline` ' : ''}tasks`,
    present: `a map, \`${key}: {${name}: {…}, …}\``,
  });
  const lines = new Map<string, number>();
  let isWhole = areAll;
  const tasks = items.flatMap((item, index) => {
    const node = readMap(
      item,
      {
        what: 'An item of the list of tasks',
        expected: 'a map with a `name`',
        write: `Write \`${key}\` as a map: \`train: python train.py\`.`,
      },
      report,
    );
    if (node === null) {
      isWhole = false;
      return [];
    }
    const named = findEntry(node, olderTaskKeys, 'name');
    if (named === undefined) {
      if (!node.isWhole) isWhole = false;
      else
        report('missing-key', item.at, {
          key: 'name',
          where: `task ${index + 1} of the list`,
          example: 'name: train',
        });
      // Nothing can refer to it, so it is read for its own problems alone.
      readTask({ name: `#${index + 1}`, at: item.at, value: item, isListed: true }, isInPipeline, report);
      return [];
    }
    const text = readText(
      named.value,
      { what: '`name`', expected: 'the name of a task', write: 'Write `name: train`.' },
      report,
    );
    if (text === null) {
      isWhole = false;
      return [];
    }
    checkName(text.text, 'the name of a task', text.at, report);
    const line = lines.get(text.text);
    if (line !== undefined) {
      report('duplicate-key', text.at, { key: text.text, line });
      return [];
    }
    lines.set(text.text, text.at.line);
    return [readTask({ name: text.text, at: text.at, value: item, isListed: true }, isInPipeline, report)];
  });
  return { tasks, isWhole };
}

function readTask(named: Named, isInPipeline: boolean, report: Report): Task {
  const { value } = named;
  if (value.kind !== 'map') {
    // Scalars grow into maps: a command alone is a task.
    const script = readCommand(value, named.name, report) ?? '';
    // Of one that cannot be read it is not known either what it waits for.
    return { ...bare(named), kind: 'command', script, needs: value.kind === 'broken' ? [] : null };
  }
  return readTaskMap(named, value, isInPipeline, report);
}

function bare({ name, at }: Named): Omit<CommandTask, 'kind' | 'script'> {
  return {
    name,
    position: positionOf(at),
    needs: null,
    if: 'success',
    env: [],
    secrets: [],
    resources: noResources,
    image: null,
    timeout: noTimeout,
    retries: noRetries,
    artifacts: null,
  };
}

type TaskFields = Fields<(typeof taskKeys)['keys']>;

function readTaskMap(named: Named, node: MapNode, isInPipeline: boolean, report: Report): Task {
  const rules = {
    mayBeEmpty: ['runcommand', 'executor', 'pipeline', 'taskref'],
  };
  const isListed = named.isListed === true;
  const fields: TaskFields = isListed
    ? readFields(node, olderTaskKeys, report, rules)
    : readFields(node, taskKeys, report, rules);
  const kinds = [
    fields.get('runcommand'),
    fields.get('executor'),
    fields.get('pipeline'),
    fields.get('taskref'),
  ]
    .filter((entry) => entry !== undefined)
    .sort((one, other) => one.at.line - other.at.line || one.at.column - other.at.column);
  const [what, ...others] = kinds;
  for (const entry of others) {
    if (what === undefined) break;
    const why = 'a task has one thing to do';
    report('exclusive-keys', entry.at, { key: entry.key, other: what.key, line: what.at.line, why });
  }
  const isHinted = fields.lacks('runcommand') && fields.lacks('pipeline') && fields.lacks('taskref');
  if (what === undefined && isHinted) report('no-command', named.at, { task: named.name });
  const set: SetVariables = new Map();
  const env = fields.get('env');
  const declared = {
    name: named.name,
    position: positionOf(named.at),
    needs: readNeeds(named, fields, isInPipeline, report),
    if: readCondition(fields, report),
    env: env === undefined ? [] : readEnv(env, set, report),
  };
  if (what !== undefined && what === fields.get('pipeline'))
    return readPipeline(declared, what, fields, set, report);
  if (what !== undefined && what === fields.get('taskref'))
    return readTaskref(declared, what, node, fields, report);
  return { ...declared, kind: 'command', ...readRun(declared.name, fields, set, report) };
}

type Declared = Pick<Task, 'name' | 'position' | 'needs' | 'if' | 'env'>;

function readNeeds(named: Named, fields: TaskFields, isInPipeline: boolean, report: Report): Task['needs'] {
  const entry = fields.get('needs');
  if (entry === undefined) return fields.lacks('needs') ? null : [];
  if (!isInPipeline) {
    report('needs-outside-pipeline', entry.at, { task: named.name });
    return null;
  }
  const seen = new Set<string>();
  return readReferences(entry, report).filter((need, index) => {
    if (!seen.has(need.name)) return seen.add(need.name);
    report('repeated-need', { ...need.position, path: `${entry.at.path}[${index}]` }, { name: need.name });
    return false;
  });
}

function readCondition(fields: TaskFields, report: Report): Condition {
  const entry = fields.get('if');
  const hints = {
    'success()': 'Write `success`.',
    'failure()': 'Write `failure`.',
    'always()': 'Write `always`.',
    true: 'Write `always`.',
  };
  return entry === undefined
    ? 'success'
    : (readChoice(entry.value, '`if`', conditions, report, hints) ?? 'success');
}

function readRun(
  name: string,
  fields: TaskFields,
  set: SetVariables,
  report: Report,
): Omit<CommandTask, keyof Declared | 'kind'> {
  const command = fields.get('runcommand');
  const executor = fields.get('executor');
  const secrets = fields.get('secrets');
  const resources = fields.get('resources');
  const image = fields.get('image');
  const timeout = fields.get('timeout');
  const retries = fields.get('retries');
  const artifacts = fields.get('artifacts');
  const script =
    command === undefined
      ? executor && readExecutor(executor, name, report)
      : readCommand(command.value, name, report);
  return {
    script: script ?? '',
    secrets: secrets === undefined ? [] : readSecrets(secrets, set, report),
    resources: resources === undefined ? noResources : readResources(resources, report),
    image: image === undefined ? null : checkImage(image.value, report),
    timeout: timeout === undefined ? noTimeout : readTimeout(timeout, report),
    retries: retries === undefined ? noRetries : readRetries(retries, report),
    artifacts: artifacts === undefined ? null : readArtifacts(artifacts, report),
  };
}

const notOnPipeline = ['retries', 'resources', 'image', 'artifacts'] as const;

function readPipeline(
  declared: Declared,
  entry: Entry,
  fields: TaskFields,
  set: SetVariables,
  report: Report,
): PipelineTask {
  for (const key of notOnPipeline) {
    const misplaced = fields.get(key);
    if (misplaced !== undefined) report('not-on-pipeline', misplaced.at, { key, task: declared.name });
  }
  const secrets = fields.get('secrets');
  const timeout = fields.get('timeout');
  const { tasks, isWhole } = readTasks(entry, true, report);
  if (isWhole && tasks.length === 0) report('empty-pipeline', entry.at, { task: declared.name });
  return {
    ...declared,
    kind: 'pipeline',
    tasks: isWhole ? tasks : withoutOrder(tasks),
    secrets: secrets === undefined ? [] : readSecrets(secrets, set, report),
    timeout: timeout === undefined ? noTimeout : readTimeout(timeout, report),
  };
}

/** Where tasks are missing, one of them may have stood in between: then nothing is known of the order. */
function withoutOrder(tasks: readonly Task[]): readonly Task[] {
  return tasks.map((task) => ({ ...task, needs: task.needs ?? [] }));
}

const notBesideTaskref = ['secrets', 'timeout', ...notOnPipeline] as const;

function readTaskref(
  declared: Declared,
  entry: Entry,
  node: MapNode,
  fields: TaskFields,
  report: Report,
): TaskReference {
  const reference = readReference(entry.value, '`taskref`', report);
  for (const key of notBesideTaskref) {
    const misplaced = fields.get(key);
    if (misplaced !== undefined)
      report('not-beside-taskref', misplaced.at, { key, task: reference?.name ?? '' });
  }
  return { ...declared, kind: 'taskref', taskref: reference ?? { name: '', position: positionOf(node.at) } };
}
