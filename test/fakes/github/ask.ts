import type { Answer } from './answer.ts';
import { notFound, refuse } from './answer.ts';
import type { Auth } from './tokens.ts';
import type { FakeRepository } from './repository.ts';
import { isGranted, type FakeToken, type World } from './world.ts';

/** A judged and allowed request, as an operation sees it. */
export type Ask = {
  readonly world: World;
  readonly auth: Auth;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly accept: string;
};

export type Operate = (ask: Ask) => Answer | Promise<Answer>;

export function tokenOf({ auth }: Ask): FakeToken {
  return auth.kind === 'installation' ? auth.token : notFound();
}

/** Whether the token's requests may know of the repository. */
export function sees(token: FakeToken, repository: FakeRepository): boolean {
  return (
    isGranted(token.installation, repository) &&
    (token.repositories === null || token.repositories.has(repository.id))
  );
}

/** The repository of that name that the token sees, by its present or, where nobody took it over, a former name. */
export function findRepository(
  world: World,
  token: FakeToken,
  owner: string,
  name: string,
): { readonly repository: FakeRepository; readonly moved: boolean } | null {
  const full = `${owner}/${name}`.toLowerCase();
  const alive = world.repositories.filter((repository) => !repository.deleted);
  const here = alive.find((repository) => fullName(repository).toLowerCase() === full);
  const found = here ?? alive.find((repository) => repository.formerNames.includes(full));
  if (!found || !sees(token, found)) return null;
  return { repository: found, moved: !here };
}

export function fullName(repository: FakeRepository): string {
  return `${repository.owner.login}/${repository.name}`;
}

/** The repository that the path names; the server has dealt with former names before. */
export function repositoryOf(ask: Ask): FakeRepository {
  const { owner = '', repo = '' } = ask.params;
  return findRepository(ask.world, tokenOf(ask), owner, repo)?.repository ?? notFound();
}

/** One page of a list, with the `link` header that leads to the others. */
export function page<T>(
  ask: Ask,
  path: string,
  all: readonly T[],
): { readonly items: readonly T[]; readonly headers: Readonly<Record<string, string>> } {
  const size = Math.min(100, numberOf(ask.query.get('per_page'), 30));
  const number = numberOf(ask.query.get('page'), 1);
  const last = Math.max(1, Math.ceil(all.length / size));
  const to = (target: number, rel: string): string => {
    const query = new URLSearchParams(ask.query);
    query.set('page', String(target));
    return `<${ask.world.url}${path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(number > 1 ? [to(number - 1, 'prev')] : []),
    ...(number < last ? [to(number + 1, 'next'), to(last, 'last')] : []),
    ...(number > 1 ? [to(1, 'first')] : []),
  ];
  return {
    items: all.slice((number - 1) * size, number * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  };
}

export function numberOf(text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) refuse(422, `${text} is no number from 1 on`);
  return value;
}
