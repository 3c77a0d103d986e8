import { GraphQLError } from 'graphql';
import { readType, type TreeFacts } from './read-git.ts';
import { readRef, type FakeRepository } from './repository.ts';
import { covers } from './tokens.ts';
import type { FakeAccount, FakePull, FakeToken, World } from './world.ts';

export type GraphqlContext = {
  readonly world: World;
  readonly token: FakeToken;
  /** What git said within this query. */
  readonly cache: Map<string, Promise<unknown>>;
};

/** What stands behind a node of the answer. */
export type Source =
  | { readonly is: 'Repository'; readonly repository: FakeRepository }
  | { readonly is: 'Ref'; readonly repository: FakeRepository; readonly ref: string; readonly oid: string }
  | {
      readonly is: 'Commit' | 'Tag' | 'Tree' | 'Blob';
      readonly repository: FakeRepository;
      readonly oid: string;
    }
  | {
      readonly is: 'TreeEntry';
      readonly repository: FakeRepository;
      readonly entry: TreeFacts;
      readonly path: string;
    }
  | { readonly is: 'PullRequest'; readonly pull: FakePull }
  | { readonly is: 'User' | 'Organization'; readonly account: FakeAccount };

export type Args = Readonly<Record<string, unknown>>;
export type Field = (source: never, args: Args, context: GraphqlContext) => unknown;

export type OfRepository = Extract<Source, { readonly is: 'Repository' }>;
export type OfRef = Extract<Source, { readonly is: 'Ref' }>;
export type OfObject = Extract<
  Source,
  { readonly oid: string; readonly is: 'Commit' | 'Tag' | 'Tree' | 'Blob' }
>;
export type OfEntry = Extract<Source, { readonly is: 'TreeEntry' }>;
export type OfPull = Extract<Source, { readonly is: 'PullRequest' }>;
export type OfAccount = Extract<Source, { readonly account: FakeAccount }>;

export type Fields = Readonly<Record<string, Field>>;

export function refuse(type: string, message: string): never {
  throw new GraphQLError(message, { extensions: { type } });
}

export function need({ token }: GraphqlContext, permission: string): void {
  if (!covers(token.permissions, permission, 'read'))
    refuse('FORBIDDEN', 'Resource not accessible by integration');
}

export function once<T>(context: GraphqlContext, key: string, read: () => Promise<T>): Promise<T> {
  const known = context.cache.get(key);
  if (known) return known as Promise<T>;
  const made = read();
  context.cache.set(key, made);
  return made;
}

export async function objectAt(repository: FakeRepository, oid: string): Promise<OfObject | null> {
  const type = await readType(repository.directory, oid);
  if (type === null) return null;
  const is = { commit: 'Commit', tag: 'Tag', tree: 'Tree', blob: 'Blob' } as const;
  return { is: is[type], repository, oid };
}

export async function refAt(repository: FakeRepository, name: string): Promise<OfRef | null> {
  // Short names are looked for as branches, then as tags.
  const names = name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`];
  for (const ref of names) {
    const oid = await readRef(repository.directory, ref);
    if (oid !== null) return { is: 'Ref', repository, ref, oid };
  }
  return null;
}

/** A page of a connection; GitHub wants `first` or `last`, at most 100. */
export function connection(nodes: readonly unknown[], args: Args): object {
  const first = args['first'];
  const last = args['last'];
  const size = typeof first === 'number' ? first : typeof last === 'number' ? last : null;
  if (size === null || size < 1 || size > 100)
    refuse('EXCESSIVE_PAGINATION', 'You must provide a `first` or `last` value, from 1 to 100.');
  const after = typeof args['after'] === 'string' ? Number(args['after']) : 0;
  const from = typeof first === 'number' ? after : Math.max(0, nodes.length - size);
  const shown = nodes.slice(from, from + size);
  return {
    nodes: shown,
    totalCount: nodes.length,
    pageInfo: {
      startCursor: shown.length > 0 ? String(from) : null,
      endCursor: shown.length > 0 ? String(from + shown.length) : null,
      hasNextPage: from + shown.length < nodes.length,
      hasPreviousPage: from > 0,
    },
  };
}

export const pullNode = (pull: FakePull): OfPull => ({ is: 'PullRequest', pull });
export const repositoryNode = (repository: FakeRepository): OfRepository => ({
  is: 'Repository',
  repository,
});
export const accountNode = (account: FakeAccount): OfAccount => ({ is: account.type, account });
