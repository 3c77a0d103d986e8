import { Ajv2020 } from 'ajv/dist/2020.js';
import { read, type Asking, type TestAme } from './ame.ts';

type Schema = Readonly<Record<string, unknown>>;
type Operation = {
  readonly parameters?: readonly unknown[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema?: Schema }>> }>
  >;
};
type Description = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

export type Described = {
  readonly description: Description;
  /** Operations that were asked so far, as `GET /api/v1/runs`. */
  readonly asked: ReadonlySet<string>;
  /** Asks, and throws where the answer is not what /openapi.json says. */
  ask(path: string, init?: Asking): Promise<Response>;
};

/** The API together with its own description, which judges every answer. */
export async function describeApi(opened: TestAme): Promise<Described> {
  const description = await read<Description>(await opened.ask('/openapi.json'));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...description });
  const asked = new Set<string>();
  const templates = Object.keys(description.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));
  return {
    description,
    asked,
    async ask(path, init) {
      const answer = await opened.ask(path, init);
      const method = init?.method ?? (init?.json === undefined ? 'GET' : 'POST');
      const template = templates.find(({ pattern }) => pattern.test(path.replace(/\?.*/, '')))?.template;
      const operation =
        template === undefined ? undefined : description.paths[template]?.[method.toLowerCase()];
      if (template === undefined || !operation) return answer;
      asked.add(`${method} ${template}`);
      const said = operation.responses[String(answer.status)] ?? operation.responses['default'];
      if (!said)
        throw new Error(`${method} ${template} may not answer ${answer.status}: ${await answer.text()}`);
      const type = (answer.headers.get('content-type') ?? '').replace(/;.*/, '');
      const schema = said.content?.[type]?.schema;
      if (!schema) throw new Error(`${method} ${template} may not answer ${answer.status} as '${type}'`);
      if (type === 'application/json') {
        const body: unknown = await answer.clone().json();
        // What the description does not name may not be said either.
        const check = ajv.compile(rebase({ ...schema, unevaluatedProperties: false }));
        if (!check(body)) throw new Error(`${method} ${path}: ${ajv.errorsText(check.errors)}`);
      }
      return answer;
    },
  };
}

/** References of a part of the description, seen from outside it. */
function rebase(schema: Schema): Schema {
  const moved: Schema = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"api#/'));
  return moved;
}
