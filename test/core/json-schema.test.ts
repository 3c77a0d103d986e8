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
  const refusedWarnings: Readonly<Record<string, string>> = {};

  test.each(fixtures('warning'))('accepts warning/$name', ({ content, name }) => {
    if (Object.hasOwn(refusedWarnings, name)) expect(isRefused(content)).toBe(true);
    else expect(faults(content)).toEqual([]);
  });

  // Why a schema cannot say it.
  const accepted: Readonly<Record<string, string>> = {};

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
