import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { webhookNames } from './judged-webhooks.ts';
import { operations } from './judged-operations.ts';
import { trimSchema } from './make-graphql.ts';

/**
 * Makes the trimmed copies in fixtures/github-api. Run it by hand, on a folder in which the packages lie:
 *
 *   npm install --prefix <folder> --ignore-scripts @octokit/openapi @octokit/graphql-schema
 *   node test/fakes/github/make-description.ts <folder>
 */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const wordsForPeople = new Set(['description', 'example', 'examples', 'externalDocs', 'title', 'summary']);

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without texts for people. Under `properties` the same words are names of fields, and stay. */
function withoutWords(value: Json, names = false): Json {
  if (Array.isArray(value)) return value.map((item) => withoutWords(item));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => names || !wordsForPeople.has(key));
  return Object.fromEntries(
    kept.map(([key, item]) => [key, withoutWords(item, key === 'properties' && !names)]),
  );
}

/** OpenAPI's `nullable` in the words of JSON Schema: ajv refuses it where no `type` stands beside it. */
function withNull(value: Json): Json {
  if (Array.isArray(value)) return value.map(withNull);
  if (!isObject(value)) return value;
  const { nullable, ...schema } = value;
  const rest = Object.fromEntries(Object.entries(schema).map(([key, item]) => [key, withNull(item)]));
  // A property may itself be called `nullable`; that one is a schema.
  if (isObject(nullable)) return { ...rest, nullable: withNull(nullable) };
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

function at(document: JsonObject, pointer: string): Json {
  let found: Json | undefined = document;
  for (const part of pointer.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) ? found[key] : undefined;
  }
  if (found === undefined) throw new Error(`the description has no ${pointer}`);
  return found;
}

function references(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : references(item),
  );
}

function put(document: JsonObject, pointer: readonly string[], value: Json): void {
  const [key = '', ...rest] = pointer;
  if (rest.length === 0) {
    document[key] = value;
    return;
  }
  const next = document[key];
  const inner = isObject(next) ? next : {};
  document[key] = inner;
  put(inner, rest, value);
}

/** Adds every component that is reachable, trimmed like the rest. */
function withComponents(document: JsonObject, trimmed: JsonObject): JsonObject {
  const seen = new Set<string>();
  let wanted = references(trimmed);
  while (wanted.length > 0) {
    const found: string[] = [];
    for (const reference of wanted) {
      if (seen.has(reference)) continue;
      seen.add(reference);
      const component = withNull(withoutWords(at(document, reference)));
      put(trimmed, reference.slice(2).split('/'), component);
      found.push(...references(component));
    }
    wanted = found;
  }
  return trimmed;
}

function trimPaths(document: JsonObject): JsonObject {
  const trimmed: JsonObject = { openapi: at(document, '#/openapi'), info: at(document, '#/info') };
  for (const operation of operations) {
    const [method = '', path = ''] = operation.split(' ');
    const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1');
    const found = at(document, `#/paths/${escaped}/${method.toLowerCase()}`);
    put(trimmed, ['paths', path, method.toLowerCase()], withNull(withoutWords(found)));
  }
  return amend(withComponents(document, trimmed));
}

function trimWebhooks(document: JsonObject): JsonObject {
  const trimmed: JsonObject = { info: at(document, '#/info') };
  for (const name of webhookNames) {
    const schema = at(document, `#/x-webhooks/${name}/post/requestBody/content/application~1json/schema`);
    put(trimmed, ['webhooks', name], withNull(withoutWords(schema)));
  }
  return amend(withComponents(document, trimmed));
}

/**
 * Where the description is wrong. The head of a pull request whose fork was deleted has no repository: the schema of
 * `pull_request.labeled`, written out in full, knows it. The list of installations writes an installation out by
 * hand, with an account that is a user and an enterprise at once; an installation alone is right.
 */
function amend(trimmed: JsonObject): JsonObject {
  const schemas = at(trimmed, '#/components/schemas');
  for (const name of ['pull-request', 'pull-request-simple']) {
    if (!isObject(schemas) || !(name in schemas)) continue;
    const pointer = ['components', 'schemas', name, 'properties', 'head', 'properties', 'repo'];
    const repo = at(trimmed, `#/${pointer.join('/')}`);
    put(trimmed, pointer, { anyOf: [repo, { type: 'null' }] });
  }
  const list = ['get', 'responses', '200', 'content', 'application/json', 'schema', 'items'];
  if ('paths' in trimmed)
    put(trimmed, ['paths', '/app/installations', ...list], { $ref: '#/components/schemas/installation' });
  return trimmed;
}

/** A line for each operation and each component, so that an update can be read as a difference. */
function inLines(document: JsonObject): string {
  const lines = (value: Json, depth: number): string => {
    if (depth === 0 || !isObject(value)) return JSON.stringify(value);
    const entries = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}: ${lines(item, depth - 1)}`,
    );
    return `{\n${entries.join(',\n')}\n}`;
  };
  return `${lines(document, 3)}\n`;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('the folder in which the packages lie is missing');
const packages = join(folder, 'node_modules', '@octokit');
const target = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'github-api');
await mkdir(target, { recursive: true });
const description = JSON.parse(
  await readFile(join(packages, 'openapi', 'generated', 'api.github.com.json'), 'utf8'),
) as JsonObject;
await writeFile(join(target, 'rest.json'), inLines(trimPaths(description)));
await writeFile(join(target, 'webhooks.json'), inLines(trimWebhooks(description)));
const schema = await readFile(join(packages, 'graphql-schema', 'schema.graphql'), 'utf8');
await writeFile(join(target, 'schema.graphql'), trimSchema(schema));
