import type { GraphQLFieldResolver, GraphQLTypeResolver } from 'graphql';
import { findRepository, fullName, sees } from './ask.ts';
import { gitText } from './git.ts';
import { gitFields } from './graphql-git-fields.ts';
import {
  accountNode,
  connection,
  need,
  objectAt,
  pullNode,
  refAt,
  refuse,
  repositoryNode,
  type Args,
  type Fields,
  type GraphqlContext,
  type OfAccount,
  type OfRef,
  type OfRepository,
  type Source,
} from './graphql-nodes.ts';
import { pullFields, stateOf } from './graphql-pull-fields.ts';
import { hourlyLimit, limitsOf } from './limits.ts';
import { followPull, followPulls } from './pulls.ts';
import { findCommit, resolve } from './read-git.ts';
import { nodeId, timeShape } from './shapes.ts';

export const resolveType: GraphQLTypeResolver<Source, GraphqlContext> = (source) => source.is;

/** Resolves a field by the tables below; what is no node of ours is read as plain data. */
export const resolveField: GraphQLFieldResolver<unknown, GraphqlContext, Args> = (
  source,
  args,
  context,
  info,
) => {
  const field = fields[info.parentType.name]?.[info.fieldName];
  if (field) return field(source as never, args, context);
  if (typeof source === 'object' && source !== null && !('is' in source))
    return (source as Readonly<Record<string, unknown>>)[info.fieldName];
  throw new Error(`the fake does not resolve ${info.parentType.name}.${info.fieldName}`);
};

const account: Fields = {
  id: ({ account }: OfAccount) => nodeId(account.type === 'User' ? 'U' : 'O', account.id),
  login: ({ account }: OfAccount) => account.login,
  databaseId: ({ account }: OfAccount) => account.id,
};

const fields: Readonly<Record<string, Fields>> = {
  Query: {
    id: () => nodeId('Q', 0),
    async repository(_source, args, { world, token }) {
      const found = findRepository(world, token, String(args['owner']), String(args['name']));
      if (!found || (found.moved && args['followRenames'] === false))
        refuse(
          'NOT_FOUND',
          `Could not resolve to a Repository with the name '${String(args['owner'])}/${String(args['name'])}'.`,
        );
      await followPulls(found.repository);
      return repositoryNode(found.repository);
    },
    async node(_source, { id }, context) {
      const { world, token } = context;
      for (const repository of world.repositories) {
        if (repository.deleted || !sees(token, repository)) continue;
        if (nodeId('R', repository.id) === id) return repositoryNode(repository);
        const pull = repository.pulls.find((one) => nodeId('PR', one.id) === id);
        if (!pull) continue;
        need(context, 'pull_requests');
        await followPull(pull);
        return pullNode(pull);
      }
      refuse('NOT_FOUND', `Could not resolve to a node with the global id of '${String(id)}'`);
    },
    rateLimit(_source, _args, { world, token }) {
      const { graphql } = limitsOf(world, token.installation.id);
      return {
        cost: 1,
        limit: hourlyLimit,
        nodeCount: 0,
        remaining: Math.max(0, graphql.remaining - 1),
        resetAt: timeShape(graphql.resetAt),
        used: hourlyLimit - graphql.remaining + 1,
      };
    },
  },
  Repository: {
    id: ({ repository }: OfRepository) => nodeId('R', repository.id),
    databaseId: ({ repository }: OfRepository) => repository.id,
    name: ({ repository }: OfRepository) => repository.name,
    nameWithOwner: ({ repository }: OfRepository) => fullName(repository),
    owner: ({ repository }: OfRepository) => accountNode(repository.owner),
    isArchived: ({ repository }: OfRepository) => repository.archived,
    isDisabled: ({ repository }: OfRepository) => repository.disabled,
    isFork: ({ repository }: OfRepository) => repository.parent !== null,
    isPrivate: ({ repository }: OfRepository) => repository.visibility !== 'public',
    visibility: ({ repository }: OfRepository) => repository.visibility.toUpperCase(),
    isEmpty: async ({ repository }: OfRepository) =>
      (await gitText(repository.directory, ['for-each-ref', '--count=1', 'refs/heads'])) === '',
    defaultBranchRef({ repository }: OfRepository, _args, context) {
      need(context, 'contents');
      return refAt(repository, `refs/heads/${repository.defaultBranch}`);
    },
    ref({ repository }: OfRepository, { qualifiedName }, context) {
      need(context, 'contents');
      return refAt(repository, String(qualifiedName));
    },
    async refs({ repository }: OfRepository, args, context) {
      need(context, 'contents');
      const out = await gitText(repository.directory, [
        'for-each-ref',
        '--format=%(objectname) %(refname)',
        String(args['refPrefix']),
      ]);
      const found = out
        .split('\n')
        .filter((line) => line !== '')
        .map((line): OfRef => ({ is: 'Ref', repository, oid: line.slice(0, 40), ref: line.slice(41) }));
      return connection(found, args);
    },
    async object({ repository }: OfRepository, { oid, expression }, context) {
      need(context, 'contents');
      if (typeof oid === 'string') return objectAt(repository, oid);
      if (typeof expression !== 'string') return null;
      const colon = expression.indexOf(':');
      const commit = await findCommit(repository, colon < 0 ? expression : expression.slice(0, colon));
      const found =
        commit !== null && colon >= 0
          ? await resolve(repository.directory, `${commit}${expression.slice(colon)}`)
          : (commit ?? (await resolve(repository.directory, expression)));
      return found === null ? null : objectAt(repository, found);
    },
    pullRequest({ repository }: OfRepository, { number }, context) {
      need(context, 'pull_requests');
      const pull = repository.pulls.find((one) => one.number === number);
      return pull
        ? pullNode(pull)
        : refuse('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${String(number)}.`);
    },
    pullRequests({ repository }: OfRepository, args, context) {
      need(context, 'pull_requests');
      const { states, baseRefName, headRefName } = args;
      const found = repository.pulls.filter(
        (pull) =>
          (!Array.isArray(states) || states.includes(stateOf(pull))) &&
          (baseRefName === undefined || baseRefName === pull.baseRef) &&
          (headRefName === undefined || headRefName === pull.headRef),
      );
      return connection(found.map(pullNode), args);
    },
  },
  ...gitFields,
  PullRequest: pullFields,
  User: account,
  Organization: account,
};
