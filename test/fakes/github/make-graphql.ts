import {
  assertValidSchema,
  buildASTSchema,
  Kind,
  parse,
  print,
  visit,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type TypeNode,
} from 'graphql';

const gitObject = ['abbreviatedOid', 'id', 'oid', 'repository'];

/** What of GitHub's schema is kept: types with their fields. Enums, inputs and scalars follow from these. */
const kept: Readonly<Record<string, readonly string[]>> = {
  Query: ['id', 'node', 'rateLimit', 'repository'],
  Node: ['id'],
  PageInfo: ['endCursor', 'hasNextPage', 'hasPreviousPage', 'startCursor'],
  RateLimit: ['cost', 'limit', 'nodeCount', 'remaining', 'resetAt', 'used'],
  Actor: ['login'],
  RepositoryOwner: ['id', 'login'],
  User: ['databaseId', 'id', 'login'],
  Organization: ['databaseId', 'id', 'login'],
  Bot: ['databaseId', 'id', 'login'],
  Repository: [
    'databaseId',
    'defaultBranchRef',
    'id',
    'isArchived',
    'isDisabled',
    'isEmpty',
    'isFork',
    'isPrivate',
    'name',
    'nameWithOwner',
    'object',
    'owner',
    'pullRequest',
    'pullRequests',
    'ref',
    'refs',
    'visibility',
  ],
  Ref: ['id', 'name', 'prefix', 'repository', 'target'],
  RefConnection: ['nodes', 'pageInfo', 'totalCount'],
  GitObject: gitObject,
  Commit: [
    ...gitObject,
    'associatedPullRequests',
    'authoredDate',
    'committedDate',
    'file',
    'message',
    'messageHeadline',
    'parents',
    'tree',
  ],
  CommitConnection: ['nodes', 'pageInfo', 'totalCount'],
  Tag: [...gitObject, 'message', 'name', 'target'],
  Tree: [...gitObject, 'entries'],
  TreeEntry: ['mode', 'name', 'object', 'oid', 'path', 'repository', 'size', 'type'],
  Blob: [...gitObject, 'byteSize', 'isBinary', 'isTruncated', 'text'],
  PullRequest: [
    'author',
    'baseRef',
    'baseRefName',
    'baseRefOid',
    'baseRepository',
    'changedFiles',
    'closed',
    'databaseId',
    'fullDatabaseId',
    'headRef',
    'headRefName',
    'headRefOid',
    'headRepository',
    'headRepositoryOwner',
    'id',
    'isCrossRepository',
    'isDraft',
    'merged',
    'number',
    'repository',
    'state',
    'title',
    'updatedAt',
  ],
  PullRequestConnection: ['nodes', 'pageInfo', 'totalCount'],
};

/** The trimmed schema, without descriptions and directives. */
export function trimSchema(text: string): string {
  const document = parse(text, { noLocation: true });
  const byName = new Map<string, DefinitionNode>();
  for (const definition of document.definitions)
    if ('name' in definition && definition.name) byName.set(definition.name.value, definition);

  const wanted = new Set<string>(Object.keys(kept));
  const definitions: DefinitionNode[] = [];
  for (const name of wanted) {
    const definition = byName.get(name);
    if (definition === undefined) continue; // a scalar of the language itself
    const trimmed = withKeptFields(withoutWords(definition));
    definitions.push(trimmed);
    for (const used of typesUsedBy(trimmed)) wanted.add(used);
  }
  const trimmed: DocumentNode = { kind: Kind.DOCUMENT, definitions };
  assertValidSchema(buildASTSchema(trimmed));
  return `${print(trimmed)}\n`;
}

function withoutWords(definition: DefinitionNode): DefinitionNode {
  return visit(definition, {
    enter(node) {
      if (!('description' in node) && !('directives' in node)) return undefined;
      const copy: Record<string, unknown> = { ...node, directives: [] };
      delete copy['description'];
      return copy;
    },
  });
}

function withKeptFields(definition: DefinitionNode): DefinitionNode {
  if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
    return definition;
  const names = kept[definition.name.value];
  if (names === undefined) throw new Error(`say which fields of ${definition.name.value} are kept`);
  const fields = (definition.fields ?? []).filter((field) => names.includes(field.name.value));
  const missing = names.filter((name) => !fields.some((field) => field.name.value === name));
  if (missing.length > 0) throw new Error(`${definition.name.value} has no ${missing.join(', ')}`);
  const interfaces = (definition.interfaces ?? []).filter((type) => type.name.value in kept);
  return { ...definition, fields, interfaces };
}

function typesUsedBy(definition: DefinitionNode): readonly string[] {
  if (!('fields' in definition)) return [];
  return (definition.fields ?? []).flatMap((field) => [
    nameOf(field.type),
    ...((field as FieldDefinitionNode).arguments ?? []).map((argument) => nameOf(argument.type)),
  ]);
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}
