import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildSchema,
  execute,
  GraphQLScalarType,
  Kind,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { refuse, type Answer } from './answer.ts';
import { resolveField, resolveType } from './graphql-fields.ts';
import type { GraphqlContext } from './graphql-nodes.ts';
import type { Auth } from './tokens.ts';
import type { World } from './world.ts';

export type Graphql = { readonly schema: GraphQLSchema };

const file = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'github-api', 'schema.graphql');

// Built once a process: the schema is GitHub's, and nothing changes it.
let loaded: Promise<Graphql> | undefined;

/** GitHub's own schema, trimmed; see make-description.ts. */
export function loadGraphql(): Promise<Graphql> {
  loaded ??= readFile(file, 'utf8').then((text) => ({ schema: withScalars(buildSchema(text)) }));
  return loaded;
}

type Asked = { readonly query?: unknown; readonly variables?: unknown; readonly operationName?: unknown };

/** Runs a query as GitHub does: what is wrong with it comes back in an answer with the status 200. */
export async function answerGraphql(
  world: World,
  { schema }: Graphql,
  auth: Auth,
  body: unknown,
): Promise<Answer> {
  if (auth.kind === 'none') refuse(401, 'This endpoint requires you to be authenticated.');
  if (auth.kind === 'app') refuse(403, 'Resource not accessible by integration');
  const { query, variables, operationName } = (body ?? {}) as Asked;
  if (typeof query !== 'string') refuse(400, 'A query attribute must be specified and must be a string.');
  const document = parseOrNull(query);
  const errors =
    document === null ? ['the query is no GraphQL'] : validate(schema, document).map((e) => e.message);
  if (document === null || errors.length > 0) {
    world.violations.push(`graphql, request: ${errors.join('; ')}`);
    return { status: 200, body: { errors: errors.map((message) => ({ message })) } };
  }
  const contextValue: GraphqlContext = { world, token: auth.token, cache: new Map() };
  const result = await execute({
    schema,
    document,
    contextValue,
    fieldResolver: resolveField,
    typeResolver: resolveType,
    ...(typeof variables === 'object' && variables !== null
      ? { variableValues: variables as Record<string, unknown> }
      : {}),
    ...(typeof operationName === 'string' ? { operationName } : {}),
  });
  return { status: 200, body: { data: result.data, ...asGithub(world, result.errors) } };
}

function asGithub(world: World, errors: Awaited<ReturnType<typeof execute>>['errors']): object {
  if (!errors || errors.length === 0) return {};
  return {
    errors: errors.map((error) => {
      const type = error.extensions['type'];
      // Only what a resolver says is GitHub's answer; the rest is a fault of the query or of the fake.
      if (type === undefined)
        world.violations.push(`graphql: ${error.originalError?.stack ?? error.message}`);
      return {
        ...(type === undefined ? {} : { type }),
        path: error.path,
        locations: error.locations,
        message: error.message,
      };
    }),
  };
}

function parseOrNull(query: string): DocumentNode | null {
  try {
    return parse(query);
  } catch {
    return null;
  }
}

function withScalars(schema: GraphQLSchema): GraphQLSchema {
  const oid = schema.getType('GitObjectID');
  // A sha that is none is refused as GitHub does, not looked for.
  if (oid instanceof GraphQLScalarType) {
    const read = (value: unknown): string => {
      if (typeof value !== 'string' || !/^[0-9a-f]{40}$/.test(value))
        throw new TypeError(`${JSON.stringify(value)} is no GitObjectID`);
      return value;
    };
    oid.parseValue = read;
    oid.parseLiteral = (node) => read(node.kind === Kind.STRING ? node.value : null);
  }
  return schema;
}
