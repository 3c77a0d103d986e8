import { readDuration } from '../duration.ts';
import type { Retries, RetryCause, Timeout } from '../project.ts';
import { retriesKeys, timeoutKeys } from './keys-limits.ts';
import type { Entry, Node } from './node.ts';
import { readFields, readInteger, readItems, readValue, requireKey } from './read.ts';
import type { Report } from './report.ts';

export const noTimeout: Timeout = { run: null, queue: null };

const defaultBackoff = 10;
const anyFailure: readonly RetryCause[] = [{ kind: 'exit', from: 1, to: 255 }, { kind: 'signal' }];

export const noRetries: Retries = { max: 0, on: anyFailure, backoff: defaultBackoff };

/** `timeout`: a duration of running, or `{run, queue}`. */
export function readTimeout(entry: Entry, report: Report): Timeout {
  if (entry.value.kind !== 'map') return { run: readSpan(entry.value, 'timeout', 1, report), queue: null };
  const fields = readFields(entry.value, timeoutKeys, report);
  const run = fields.get('run');
  const queue = fields.get('queue');
  return {
    run: run === undefined ? null : readSpan(run.value, 'timeout', 1, report),
    queue: queue === undefined ? null : readSpan(queue.value, 'timeout', 1, report),
  };
}

/** `retries`: a number of tries after the first, or `{max, on, backoff}`. */
export function readRetries(entry: Entry, report: Report): Retries {
  const bounds = { what: '`retries`', least: 0, most: 100, example: 'retries: 2' };
  if (entry.value.kind !== 'map') return { ...noRetries, max: readInteger(entry.value, bounds, report) ?? 0 };
  const fields = readFields(entry.value, retriesKeys, report);
  const max = fields.get('max');
  const on = fields.get('on');
  const backoff = fields.get('backoff');
  requireKey(fields, 'max', entry.at, '`retries`', 'max: 2', report);
  return {
    max:
      max === undefined || max.value.kind === 'empty'
        ? 0
        : (readInteger(max.value, { ...bounds, what: '`max`', example: 'max: 2' }, report) ?? 0),
    on: on === undefined ? anyFailure : readCauses(on, report),
    backoff:
      backoff === undefined
        ? defaultBackoff
        : (readSpan(backoff.value, 'backoff', 0, report) ?? defaultBackoff),
  };
}

function readSpan(node: Node, what: string, least: number, report: Report): number | null {
  const wanted = { what: `\`${what}\``, expected: 'a duration', write: 'Write `30m`, for instance.' };
  const text = readValue(node, wanted, report);
  if (text === null) return null;
  const read = readDuration(text.text);
  if (typeof read !== 'number') {
    report('bad-duration', text.at, { what: 'duration', text: text.text, ...read });
    return null;
  }
  if (read >= least) return read;
  report('bad-duration', text.at, {
    what: `duration for \`${what}\``,
    text: text.text,
    why: 'it must be longer than nothing',
    suggestion: '30m',
  });
  return null;
}

function readCauses(entry: Entry, report: Report): readonly RetryCause[] {
  if (entry.value.kind === 'list' && entry.value.items.length === 0) {
    report('empty-list', entry.value.at, { key: entry.key, means: 'nothing would be tried again' });
    return anyFailure;
  }
  const wanted = {
    what: 'A cause of a retry',
    expected: 'one word',
    write: 'Write `on: ["exit:33", signal]`, for instance.',
  };
  return readItems(entry.value, 'An item of `on`', report).flatMap((item) => {
    // `exit: 33` with a space is a map to YAML.
    const only = item.kind === 'map' && item.entries.length === 1 ? item.entries[0] : undefined;
    if (only?.key === 'exit' && only.value.kind === 'text') {
      report('bad-retry-cause', item.at, {
        text: `exit: ${only.value.text}`,
        why: 'with a space after its colon it is a map',
        suggestion: `exit:${only.value.text}`,
      });
      return [];
    }
    const text = readValue(item, wanted, report);
    const cause = text === null ? null : readCause(text.text);
    if (text === null || cause === null) return [];
    if ('kind' in cause) return [cause];
    report('bad-retry-cause', text.at, { text: text.text, ...cause });
    return [];
  });
}

function readCause(text: string): RetryCause | { readonly why: string; readonly suggestion: string } {
  if (text === 'signal' || text === 'timeout') return { kind: text };
  const bare = /^(?:exit\s*(?:code)?[\s:=]*)?(\d{1,3})$/u.exec(text)?.[1];
  if (bare !== undefined && !text.startsWith('exit:'))
    return { why: 'causes are `exit:N`, `signal` and `timeout`', suggestion: `exit:${bare}` };
  const match = /^exit:(\d+)(?:-(\d+))?$/u.exec(text);
  if (match === null)
    return { why: 'it is none of `exit:N`, `exit:A-B`, `signal`, `timeout`', suggestion: 'exit:1-255' };
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (from === 0)
    return { why: 'exit code 0 is success', suggestion: to > 0 && to < 256 ? `exit:1-${to}` : 'exit:1-255' };
  if (to > 255 || from > 255) return { why: 'exit codes end at 255', suggestion: 'exit:1-255' };
  return from > to
    ? { why: 'it ends before it begins', suggestion: `exit:${to}-${from}` }
    : { kind: 'exit', from, to };
}
