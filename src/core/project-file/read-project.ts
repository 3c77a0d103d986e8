import type { Project } from '../project.ts';
import { projectKeys } from './keys-project.ts';
import type { Node } from './node.ts';
import { readFields, readMap, readText, requireKey } from './read.ts';
import { checkName } from './read-name.ts';
import { readConcurrency, readOn } from './read-on.ts';
import { readRecurringTasks } from './read-recurring.ts';
import { readTasks } from './read-task.ts';
import { checkReferences } from './references.ts';
import type { Report } from './report.ts';

const smallest = 'Begin with `projectname: spam` in the first line.';

/** The project that a tree declares, as far as it can be read; whether it is good is what was reported. */
export function readProject(root: Node | null, report: Report): Project | null {
  const top = { line: 1, column: 1, path: '' };
  if (root === null || (root.kind === 'map' && root.entries.length === 0)) {
    report('empty-file', top, {});
    return null;
  }
  const map = readMap(root, { what: 'ame.yaml', expected: 'a map', write: smallest }, report);
  if (map === null) return null;
  const fields = readFields(map, projectKeys, report);
  requireKey(fields, 'projectname', top, 'the file', 'projectname: spam', report);
  const tasks = fields.get('tasks');
  const on = fields.get('on');
  const concurrency = fields.get('concurrency');
  const recurring = fields.get('recurring_tasks');
  const read = tasks === undefined ? null : readTasks(tasks, false, report);
  const project: Project = {
    name: readName(fields.get('projectname')?.value, report),
    tasks: read?.tasks ?? [],
    on: on === undefined ? null : readOn(on, report),
    concurrency: concurrency === undefined ? null : readConcurrency(concurrency, report),
    recurringTasks: recurring === undefined ? [] : readRecurringTasks(recurring, report),
  };
  const areKnown = read === null ? fields.lacks('tasks') : read.isWhole || read.tasks.length > 0;
  checkReferences(project, areKnown, report);
  return project;
}

function readName(node: Node | undefined, report: Report): string {
  if (node === undefined || node.kind === 'empty') return '';
  const text = readText(
    node,
    { what: '`projectname`', expected: 'a name', write: 'Write `projectname: spam`.' },
    report,
  );
  if (text !== null) checkName(text.text, 'the name of a project', text.at, report);
  return text?.text ?? '';
}
