import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a Job as a real API server describes them; recorded by fixtures/kubernetes-schema/record.ts. */
export type JobSchema = {
  readonly kubernetes: string;
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export const jobSchema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/kubernetes-schema/job.json'), 'utf8'),
) as JobSchema;

/** Every field of a type down to plain values, as `spec.containers[].env[].name`; of a map `labels{}`. */
export function fieldsOf(type: string, within: readonly string[] = []): readonly string[] {
  const fields = jobSchema.types[type] ?? {};
  return Object.entries(fields).flatMap(([name, kind]) => {
    const [, open = '', inner = kind] = /^([[{]?)(\w+)[\]}]?$/.exec(kind) ?? [];
    const path = `${name}${open === '[' ? '[]' : open === '{' ? '{}' : ''}`;
    if (jobSchema.types[inner] === undefined || within.includes(inner)) return [path];
    return fieldsOf(inner, [...within, type]).map((rest) => `${path}.${rest}`);
  });
}

const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  quantity: (value) => typeof value === 'string' && /^\d+m?$/.test(value),
};

/** What of a value the schema does not know, or knows as something else. */
export function strangersOf(value: unknown, kind: string, path = ''): readonly string[] {
  const [, open = '', inner = kind] = /^([[{]?)(\w+)[\]}]?$/.exec(kind) ?? [];
  if (open === '[')
    return Array.isArray(value)
      ? value.flatMap((each: unknown) => strangersOf(each, inner, `${path}[]`))
      : [path];
  if (typeof value !== 'object' || value === null) return (kinds[kind]?.(value) ?? false) ? [] : [path];
  if (open === '{')
    return Object.values(value).flatMap((each: unknown) => strangersOf(each, inner, `${path}{}`));
  const fields = jobSchema.types[kind];
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) => {
    const known = fields?.[name];
    return known === undefined ? [`${path}.${name}`] : strangersOf(each, known, `${path}.${name}`);
  });
}

/**
 * The plain values of an object by their place: entries of a list by their `name` where `named` says so, in maps of
 * resources, labels and annotations by their key.
 */
export function valuesOf(value: unknown, path = ''): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (at: string, text: string): unknown => found.set(at, `${found.get(at) ?? ''}${text}\n`);
  if (Array.isArray(value)) {
    for (const each of value as readonly unknown[]) {
      const name = /(containers|initContainers|volumes)$/.test(path) ? nameOf(each) : '';
      for (const [at, text] of valuesOf(each, `${path}[${name}]`)) add(at, text);
    }
    return found;
  }
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  for (const [key, each] of Object.entries(value))
    for (const [at, text] of valuesOf(each, path === '' ? key : `${path}.${key}`)) add(at, text);
  return found;
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : '';
}
