import { candidatesOf, closest, findClosest } from './closest.ts';
import { withoutTraces } from './without-traces.ts';

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const;
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

type CronField = {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
  readonly firstName: number;
};

const fields: readonly CronField[] = [
  { name: 'minute', least: 0, most: 59, names: [], firstName: 0 },
  { name: 'hour', least: 0, most: 23, names: [], firstName: 0 },
  { name: 'day of month', least: 1, most: 31, names: [], firstName: 0 },
  { name: 'month', least: 1, most: 12, names: months, firstName: 1 },
  // Sunday is 0 and 7.
  { name: 'day of week', least: 0, most: 7, names: days, firstName: 0 },
];

// The library that reads the fields takes 1,024.
const mostCharacters = 1000;

/** The aliases that are read, each as its five fields. */
export const scheduleAliases: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** What is wrong with a schedule: `text`, found `offset` characters from its start, in which field (`null`: the whole), and what to write instead. */
export type ScheduleFault = {
  readonly offset: number;
  readonly text: string;
  readonly field: string | null;
  readonly why: string;
  readonly write: string;
};

/** Every fault of a schedule of five fields or an alias such as `@daily`, one for each wrong field; none where it is good. */
export function findScheduleFaults(schedule: string): readonly ScheduleFault[] {
  if (schedule.length > mostCharacters) return [lengthFault(schedule)];
  const parts = [...schedule.matchAll(/\S+/gu)];
  const [first] = parts;
  if (first === undefined) {
    const write = 'Write five fields, as in `0 12 * * *` (every day at 12:00).';
    return [{ offset: 0, text: schedule, field: null, why: 'it is empty', write }];
  }
  if (first[0].startsWith('@')) return aliasFaults(schedule.trim(), first.index);
  if (parts.length !== fields.length) return [countFault(schedule, parts)];
  const faults = fields.flatMap((field, index): ScheduleFault[] => {
    const part = parts[index];
    const fault = part === undefined ? null : fieldFault(part[0], field);
    if (part === undefined || fault === null) return [];
    return [
      {
        offset: part.index,
        text: part[0],
        field: field.name,
        why: fault.why,
        write: `Write ${fault.write}.`,
      },
    ];
  });
  const day = parts[2];
  if (faults.length > 0 || day === undefined || canHappen(parts.map(([part]) => part))) return faults;
  return [impossibleDate(day)];
}

function lengthFault(schedule: string): ScheduleFault {
  const why = `it has more than ${mostCharacters} characters`;
  const write = 'Write ranges and steps instead of lists, as in `*/5` or `8-18`.';
  return { offset: 0, text: schedule, field: null, why, write };
}

function aliasFaults(alias: string, offset: number): readonly ScheduleFault[] {
  const known = Object.keys(scheduleAliases);
  if (known.includes(alias)) return [];
  const nearest = closest(alias, known);
  const write =
    nearest === null
      ? `Write one of ${known.map((name) => `\`${name}\``).join(', ')}.`
      : `Write \`"${nearest}"\`.`;
  return [{ offset, text: alias, field: null, why: 'there is no such alias', write }];
}

function countFault(schedule: string, parts: readonly RegExpExecArray[]): ScheduleFault {
  const count = parts.length;
  const words = parts.slice(0, 6).map(([part]) => shortened(part));
  const why = `it has ${count} field${count === 1 ? '' : 's'} instead of five`;
  const whole = { offset: 0, text: schedule, field: null };
  if (count === 6) {
    return {
      ...whole,
      why: `${why}; seconds are not read`,
      write: `Write five, minute first, as in \`${words.slice(1).join(' ')}\`.`,
    };
  }
  const five = 'Write five: minute, hour, day of month, month, day of week';
  if (count > 6) return { ...whole, why, write: `${five}.` };
  const filled = [...words, ...Array.from({ length: 5 - count }, () => '*')].join(' ');
  return { ...whole, why, write: `${five}, as in \`${filled}\`.` };
}

type FieldFault = { readonly why: string; readonly write: string };

/** One field: items with commas between, each `*`, a value or a range, with `/step` after it. */
function fieldFault(text: string, field: CronField): FieldFault | null {
  const bounds = `a value from ${field.least} to ${field.most}`;
  for (const item of text.split(',')) {
    const [range = '', step, ...more] = item.split('/');
    const [from = '', to, ...ends] = range.split('-');
    if (item === '') return { why: 'an item is empty', write: `${bounds} between the commas` };
    if (more.length > 0 || ends.length > 0)
      return { why: `\`${shortened(item)}\` is no value, range or step`, write: '`A-B`, `*/N` or `A-B/N`' };
    if (range !== '*') {
      for (const end of to === undefined ? [from] : [from, to]) {
        if (valueOf(end, field) === null) return valueFault(end, field, bounds);
      }
    }
    const first = valueOf(from, field);
    const last = to === undefined ? null : valueOf(to, field);
    if (first !== null && last !== null && first > last) {
      // A week that ends on Sunday ends with 7; after Sunday as 7 it goes on with Monday.
      const rest = `${from}-${field.most}`;
      const around = `\`${rest},${Math.max(field.least, field.most === 7 ? 1 : 0)}-${to ?? ''}\``;
      return {
        why: `\`${shortened(range)}\` ends before it begins`,
        write:
          field.most === 7 && last === 0
            ? `\`${rest}\``
            : `\`${to ?? ''}-${from}\`, or ${around} if it goes round the end`,
      };
    }
    if (step !== undefined && (!/^\d{1,4}$/u.test(step) || Number(step) === 0 || Number(step) > field.most)) {
      return {
        why: `\`${shortened(step)}\` is no step`,
        write: `a step from 1 to ${field.most}, as in \`${range}/5\``,
      };
    }
    if (step !== undefined && range !== '*' && to === undefined) {
      return {
        why: `\`${shortened(item)}\` is a step without a range`,
        write: `\`${range}-${field.most}/${step}\``,
      };
    }
  }
  return repetitionFault(text, field);
}

/** The library takes each value once only; 0 and 7 are both Sunday. */
function repetitionFault(text: string, field: CronField): FieldFault | null {
  const seen = new Set<number>();
  for (const item of text.split(',')) {
    for (const value of new Set(valuesOf(item, field).map((each) => (field.most === 7 ? each % 7 : each)))) {
      if (!seen.has(value)) seen.add(value);
      else if (text.split(',').includes('*'))
        return { why: '`*` is every value already', write: '`*` alone, or the values without it' };
      else
        return {
          why: `${field.most === 7 && value === 0 ? 'Sunday' : value} is in it twice`,
          write: 'each value once',
        };
    }
  }
  return null;
}

/** The values that a good item stands for. */
function valuesOf(item: string, field: CronField): readonly number[] {
  const [range = '', step = '1'] = item.split('/');
  const [from = '', to = from] = range.split('-');
  const first = range === '*' ? field.least : (valueOf(from, field) ?? field.least);
  // As a whole week Sunday counts once.
  const last =
    range === '*'
      ? Math.min(field.most, first === 0 && field.most === 7 ? 6 : field.most)
      : (valueOf(to, field) ?? field.most);
  const values: number[] = [];
  for (let value = first; value <= last; value += Number(step)) values.push(value);
  return values;
}

function valueFault(text: string, field: CronField, bounds: string): FieldFault {
  const nearest =
    field.names.length > 0 && /^[a-z]/iu.test(text) ? closest(text.slice(0, 3), field.names) : null;
  if (text === '')
    return { why: 'an end of a range is missing', write: `${bounds} on both sides of the hyphen` };
  const why = /^\d+$/u.test(text)
    ? `\`${shortened(text)}\` is outside ${field.least} to ${field.most}`
    : `\`${shortened(text)}\` is not read`;
  return { why, write: nearest === null ? `${bounds}, or \`*\`` : `\`${nearest}\`` };
}

function valueOf(text: string, field: CronField): number | null {
  const named = field.names.indexOf(text.toLowerCase());
  if (named !== -1) return named + field.firstName;
  const value = /^\d{1,4}$/u.test(text) ? Number(text) : Number.NaN;
  return value >= field.least && value <= field.most ? value : null;
}

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Every field may be good and the date still never come, such as February 30. Days of the week beside it are enough by
 * themselves, unless their field begins with an asterisk: then both must fit, as in `isDayOf`.
 */
function canHappen([, , day = '*', month = '*', weekday = '*']: readonly string[]): boolean {
  const [, , dayField, monthField] = fields;
  if (day === '*' || !weekday.startsWith('*') || dayField === undefined || monthField === undefined)
    return true;
  const days = day.split(',').flatMap((item) => valuesOf(item, dayField));
  const months = month.split(',').flatMap((item) => valuesOf(item, monthField));
  return Math.min(...days) <= Math.max(...months.map((each) => longestMonths[each - 1] ?? 31));
}

function impossibleDate(day: RegExpExecArray): ScheduleFault {
  const write = 'Write a day that exists in one of its months, or `*`.';
  return {
    offset: day.index,
    text: day[0],
    field: 'day of month',
    why: 'none of its months has such a day',
    write,
  };
}

const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
const canonicalZones: ReadonlySet<string> = new Set(zones.map((zone) => zone.toLowerCase()));

/** Whether `name` is an IANA time zone; offsets such as `+02:00` are none, because they know no summer time. */
export function isTimezone(name: string): boolean {
  if (canonicalZones.has(name.toLowerCase())) return true;
  if (!/^[A-Za-z][A-Za-z0-9/_+-]{0,63}$/u.test(name)) return false;
  // Older names such as US/Eastern are in no list.
  return withoutTraces(() => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
    } catch {
      return false;
    }
  });
}

const zoneOfCity = new Map(zones.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]));
const zoneNames = candidatesOf(zones);
const cityNames = candidatesOf([...zoneOfCity.keys()]);

/** The time zone that was probably meant: the same name up to a few letters, or the one of that city. */
export function nearestTimezone(name: string): string | null {
  const [near] = findClosest(name, zoneNames).names;
  if (near !== undefined) return near;
  const [city] = findClosest(name, cityNames).names;
  return city === undefined ? null : (zoneOfCity.get(city) ?? null);
}

// The text goes into a message: nothing invisible, and not much of it.
function shortened(text: string): string {
  const visible = text.slice(0, 21).replaceAll(/[\p{C}`]/gu, '\u{fffd}');
  return visible.length > 20 ? `${visible.slice(0, 20)}…` : visible;
}
