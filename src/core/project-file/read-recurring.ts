import type { RecurringTask } from '../project.ts';
import { findScheduleFaults, isTimezone, nearestTimezone } from '../schedule.ts';
import { recurringTaskKeys } from './keys-project.ts';
import type { Entry, MapNode } from './node.ts';
import { readChoice, readFields, readMap, readText, requireKey } from './read.ts';
import { checkName, positionOf, readReference } from './read-name.ts';
import { shown } from '../problems/wording.ts';
import type { Report } from './report.ts';
import { catchups, overlaps } from './shapes.ts';

const mostSchedules = 256;
const example = 'nightly: {taskref: main, schedule: "@daily"}';

/** `recurring_tasks`: a map of names to what runs when. */
export function readRecurringTasks(entry: Entry, report: Report): readonly RecurringTask[] {
  const wanted = {
    what: '`recurring_tasks`',
    expected: 'a map of names',
    write: `Write \`recurring_tasks: {${example}}\`.`,
  };
  const map = readMap(entry.value, wanted, report);
  if (map === null) return [];
  const all = map.entries.filter(({ key }) => !key.startsWith('x-'));
  const beyond = all[mostSchedules];
  if (beyond !== undefined)
    report('too-many-schedules', beyond.at, { count: all.length, most: mostSchedules });
  const isZone = rememberTimezones();
  return all.slice(0, mostSchedules).flatMap((named) => {
    checkName(named.key, 'the name of a recurring task', named.at, report);
    if (named.value.kind === 'empty') {
      report('empty-key', named.at, { what: shown(named.key), means: 'counts as absent' });
      return [];
    }
    const node = readMap(
      named.value,
      { what: 'A recurring task', expected: 'a map', write: `Write \`${example}\`.` },
      report,
    );
    return node === null ? [] : [readRecurringTask(named, node, isZone, report)];
  });
}

function readRecurringTask(
  named: Entry,
  node: MapNode,
  isZone: (name: string) => boolean,
  report: Report,
): RecurringTask {
  const fields = readFields(node, recurringTaskKeys, report);
  const where = `the recurring task ${shown(named.key)}`;
  requireKey(fields, 'taskref', named.at, where, 'taskref: main', report);
  requireKey(fields, 'schedule', named.at, where, 'schedule: "0 12 * * *"', report);
  const taskref = fields.get('taskref');
  const catchup = fields.get('catchup');
  const overlap = fields.get('overlap');
  const reference =
    taskref === undefined || taskref.value.kind === 'empty'
      ? null
      : readReference(taskref.value, '`taskref`', report);
  return {
    name: named.key,
    position: positionOf(named.at),
    taskref: reference ?? { name: '', position: positionOf(named.at) },
    schedule: readSchedule(fields.get('schedule'), report),
    timezone: readTimezone(fields.get('timezone'), isZone, report),
    catchup:
      catchup === undefined ? 'last' : (readChoice(catchup.value, '`catchup`', catchups, report) ?? 'last'),
    overlap:
      overlap === undefined ? 'skip' : (readChoice(overlap.value, '`overlap`', overlaps, report) ?? 'skip'),
  };
}

function readSchedule(entry: Entry | undefined, report: Report): string {
  if (entry === undefined || entry.value.kind === 'empty') return '';
  const write = 'Write `schedule: "0 12 * * *"`, for instance.';
  const text = readText(
    entry.value,
    { what: '`schedule`', expected: 'five fields or an alias', write },
    report,
  );
  if (text === null) return '';
  for (const { offset, ...fault } of findScheduleFaults(text.text)) {
    // With an escape or a line break before it the place of a field cannot be counted; then it is that of the value.
    const column = text.offset === null ? text.at.column : text.at.column + text.offset + offset;
    report('bad-schedule', { ...text.at, column }, fault);
  }
  return text.text.trim().replaceAll(/\s+/gu, ' ');
}

function readTimezone(entry: Entry | undefined, isZone: (name: string) => boolean, report: Report): string {
  if (entry === undefined) return 'UTC';
  const write = 'Write `timezone: Europe/Copenhagen`, for instance.';
  const text = readText(
    entry.value,
    { what: '`timezone`', expected: 'the name of a time zone', write },
    report,
  );
  if (text === null || isZone(text.text)) return text?.text ?? 'UTC';
  report('bad-timezone', text.at, () => ({ text: text.text, nearest: nearestTimezone(text.text) }));
  return 'UTC';
}

/** Whether a name is a time zone, looked up once: one look-up takes 30 µs. */
function rememberTimezones(): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const asked = known.get(name) ?? isTimezone(name);
    known.set(name, asked);
    return asked;
  };
}
