import { Ajv, type ValidateFunction } from 'ajv';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { webhookName } from './judged-webhooks.ts';

/** GitHub's own description of what it takes and gives, trimmed; see make-description.ts. */
export type Description = {
  /** The operation for a path below the API's base, with the decoded values of the places in it. */
  find(method: string, path: string): Operation | null;
  /** What is wrong with a request's body; empty where nothing is. */
  request(operation: Operation, body: unknown): readonly string[];
  /** What is wrong with an answer. Statuses below 300 that the description does not know are wrong. */
  response(operation: Operation, status: number, body: unknown): readonly string[];
  query(operation: Operation, query: URLSearchParams): readonly string[];
  webhook(event: string, payload: unknown): readonly string[];
};

export type Operation = {
  readonly id: string;
  readonly method: string;
  readonly template: string;
  readonly params: Readonly<Record<string, string>>;
};

type Schema = {
  readonly $ref?: string;
  readonly properties?: object;
  readonly additionalProperties?: unknown;
};
type Parameter = {
  readonly $ref?: string;
  readonly name?: string;
  readonly in?: string;
  readonly schema?: object;
};
type OperationJson = {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: object }>>;
};
type Rest = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
};
type Webhooks = { readonly webhooks: Readonly<Record<string, unknown>> };

const folder = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'github-api');

// Read and compiled once a process: what is kept here is GitHub's, and nothing changes it.
let loaded: Promise<Description> | undefined;

export function loadDescription(): Promise<Description> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Description> {
  const rest = JSON.parse(await readFile(join(folder, 'rest.json'), 'utf8')) as Rest;
  const webhooks = JSON.parse(await readFile(join(folder, 'webhooks.json'), 'utf8')) as Webhooks;
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
  ajv.addFormat('uri', (text: string) => URL.canParse(text));
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  ajv.addFormat('timestamp', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });
  ajv.addFormat('uri-template', true);
  ajv.addFormat('email', /^[^@\s]+@[^@\s]+$/);
  ajv.addSchema(rest, 'rest');
  ajv.addSchema(webhooks, 'webhooks');

  const faults = (name: string, value: unknown): readonly string[] => {
    const validate: ValidateFunction | undefined = ajv.getSchema(name);
    if (!validate) throw new Error(`the description has no ${name}`);
    if (validate(value)) return [];
    return (validate.errors ?? []).slice(0, 8).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  };

  const matchers = Object.entries(rest.paths)
    .map(([template, methods]) => ({ template, methods, pattern: patternOf(template) }))
    // More literal text first: /app/hook/config before /app/{anything}.
    .sort((a, b) => literal(b.template) - literal(a.template));

  return {
    find(method, path) {
      for (const { template, methods, pattern } of matchers) {
        const json = methods[method.toLowerCase()];
        const match = json && pattern.exec(path);
        if (!json || !match) continue;
        const params = Object.fromEntries(
          Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value ?? '')]),
        );
        return { id: json.operationId, method: method.toLowerCase(), template, params };
      }
      return null;
    },
    request(operation, body) {
      const { requestBody } = json(operation);
      if (requestBody === undefined) return body === undefined || isEmpty(body) ? [] : ['takes no body'];
      if (body === undefined) return requestBody.required ? ['a body is missing'] : [];
      const schema = requestBody.content['application/json']?.schema;
      if (schema === undefined) throw new Error(`${operation.id} takes no JSON`);
      const unknown = Object.keys(schema.properties ?? {}).length
        ? Object.keys(body as object).filter((key) => !(key in (schema.properties ?? {})))
        : [];
      const pointer = `${at(operation)}/requestBody/content/application~1json/schema`;
      return [...unknown.map((key) => `/${key} is no field of ${operation.id}`), ...faults(pointer, body)];
    },
    response(operation, status, body) {
      const { responses } = json(operation);
      const response = responses[String(status)];
      if (response === undefined) return status < 300 ? [`${operation.id} never answers ${status}`] : [];
      if (response.$ref !== undefined || status >= 300) return [];
      if (response.content === undefined)
        return body === undefined ? [] : [`${operation.id} answers ${status} without a body`];
      return faults(`${at(operation)}/responses/${status}/content/application~1json/schema`, body);
    },
    query(operation, query) {
      const known = new Set(
        (json(operation).parameters ?? [])
          .map((parameter) =>
            parameter.$ref === undefined
              ? parameter
              : rest.components.parameters[parameter.$ref.split('/').at(-1) ?? ''],
          )
          .filter((parameter) => parameter?.in === 'query')
          .map((parameter) => parameter?.name),
      );
      return [...query.keys()].filter((key) => !known.has(key)).map((key) => `?${key} is unknown`);
    },
    webhook(event, payload) {
      const action = (payload as { readonly action?: unknown }).action;
      const name = webhookName(event, typeof action === 'string' ? action : null);
      if (!(name in webhooks.webhooks)) return [`no schema for ${name}`];
      return faults(`webhooks#/webhooks/${name}`, payload);
    },
  };

  function json(operation: Operation): OperationJson {
    const found = rest.paths[operation.template]?.[operation.method];
    if (!found) throw new Error(`no operation ${operation.method} ${operation.template}`);
    return found;
  }
}

function at(operation: Operation): string {
  return `rest#/paths/${encodeURIComponent(operation.template.replaceAll('/', '~1'))}/${operation.method}`;
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0;
}

/** Names of branches, refs and paths hold slashes; everything else ends at one. */
const greedy = new Set(['ref', 'branch', 'path', 'basehead']);

function patternOf(template: string): RegExp {
  const pattern = template
    .split(/(\/?\{[^}]+\})/)
    .map((part) => {
      const name = /\{([^}]+)\}/.exec(part)?.[1];
      if (name === undefined) return part.replaceAll('.', String.raw`\.`);
      // The root of a repository has no path at all.
      if (name === 'path') return '(?:/(?<path>.*))?';
      return `${part.startsWith('/') ? '/' : ''}(?<${name}>${greedy.has(name) ? '.+' : '[^/]+'})`;
    })
    .join('');
  return new RegExp(`^${pattern}$`);
}

function literal(template: string): number {
  return template.replaceAll(/\{[^}]+\}/g, '').length;
}
