import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { keyReference, projectFileJsonSchema } from '../../src/core/project-file/json-schema.ts';
import { fixtures } from './project-file-fixtures.ts';

const validate = new Ajv({ strict: false, allErrors: true }).compile(projectFileJsonSchema());

function faults(content: Uint8Array | string): readonly string[] {
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  const isGood = validate(parse(text, { logLevel: 'error' }));
  return isGood
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

/** Whether the schema refuses the file; one that is not even YAML is refused by every editor. */
function isRefused(content: Uint8Array): boolean {
  try {
    return faults(content).length > 0;
  } catch {
    return true;
  }
}

describe('the schema', () => {
  test.each(fixtures('valid'))('accepts valid/$name', ({ content }) => {
    expect(faults(content)).toEqual([]);
  });

  // What an editor may already say, although the file runs.
  const refusedWarnings: Readonly<Record<string, string>> = {
    'empty-items': 'an item with nothing in it is a slip, which an editor may show as one',
    'empty-keys': 'a key with nothing after it is a slip, which an editor may show as one',
    'task-that-lacks-indentation': 'it has a key with nothing after it',
    'indentation-of-a-list': 'not YAML before its lines are moved',
    'indentation-of-a-script': 'not YAML before its lines are moved',
    'indentation-of-eight-lines': 'not YAML before its lines are moved',
    'indentation-too-deep': 'not YAML before its lines are moved',
    'indentation-too-shallow': 'not YAML before its lines are moved',
    'seed-2-pipeline': 'not YAML before its lines are moved',
    'seed-3-recurring-completed': 'not YAML before its lines are moved',
  };

  test.each(fixtures('warning'))('accepts warning/$name', ({ content, name }) => {
    if (Object.hasOwn(refusedWarnings, name)) expect(isRefused(content)).toBe(true);
    else expect(faults(content)).toEqual([]);
  });

  // Why a schema cannot say it.
  const accepted: Readonly<Record<string, string>> = {
    'alias-of-itself': 'stands below a key that is ignored',
    cycle: 'needs knowledge of other tasks',
    'cycle-and-a-task-that-needs-itself': 'needs knowledge of other tasks',
    'cycle-of-references': 'needs knowledge of other tasks',
    'cycle-through-order': 'needs knowledge of other tasks',
    directives: 'is not part of the content',
    images: 'names of images have a grammar of their own',
    'nested-too-deep': 'would need a definition for each level',
    'nested-too-deep-through-references': 'needs knowledge of other tasks',
    'not-utf8': 'is about bytes',
    'plan-too-large': 'needs knowledge of other tasks',
    'schedules-with-repetitions': 'counts values inside a text',
    timezones: 'the list of time zones changes',
    'too-deep-in-brackets': 'stands below a key that is ignored',
    'too-many-schedules': 'keys that begin with x- do not count',
    'too-many-tasks': 'counts over several maps',
  };

  test.each(fixtures('invalid'))('refuses invalid/$name, where a schema can', ({ content, name }) => {
    expect([name, isRefused(content)]).toEqual([name, !Object.hasOwn(accepted, name)]);
  });

  test('lists no fixture that is gone', () => {
    const names = new Set([...fixtures('warning'), ...fixtures('invalid')].map(({ name }) => name));
    expect(
      [...Object.keys(accepted), ...Object.keys(refusedWarnings)].filter((name) => !names.has(name)),
    ).toEqual([]);
  });
});

describe('the key reference', () => {
  test('has every key once, with a description', () => {
    const paths = keyReference().map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const { description, availability, shape } of keyReference()) {
      expect(description).not.toBe('');
      expect(shape === null).toBe(availability !== 'now');
    }
  });

  test('every key that is planned is refused as such, in a project and in a task', () => {
    for (const { name } of keyReference().filter(({ availability }) => availability === 'later')) {
      const text = `projectname: spam\n${name}: 1\ntasks:\n  a: { runcommand: x, ${name}: 1 }\n`;
      expect(parseProjectFile(text).problems.map(({ code }) => code)).toEqual([
        'not-available-yet',
        'not-available-yet',
      ]);
      expect(faults(text)).not.toEqual([]);
    }
  });

  test('every key of the present is used by a fixture that is read', () => {
    const texts = [...fixtures('valid'), ...fixtures('warning')]
      .map(({ content }) => new TextDecoder().decode(content))
      .join('\n');
    const unused = keyReference().filter(
      ({ name, availability }) =>
        availability !== 'later' && !new RegExp(`(?:^|[\\s{,])${name}:`, 'mu').test(texts),
    );
    expect(unused).toEqual([]);
  });
});
