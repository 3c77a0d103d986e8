import { Hono, type Context } from 'hono';
import { advertiseRefs, createRepository, parseProtocol, uploadPack, type GitService } from '../git/host.ts';
import { isOutOfHandles } from '../git/git-error.ts';
import { encodePkt, flushPkt } from '../git/pkt-line.ts';
import type { RefCommand } from '../git/receive-commands.ts';
import { parseRepositoryName, type RepositoryName } from '../git/repository-name.ts';
import { parseRequest, plain, stream } from './git-exchange.ts';
import { askingMs, away, pushTo } from './git-push.ts';
import { withinMs } from './within.ts';

export type HostedRepository = { readonly id: number; readonly directory: string };

export type GitDoorDeps = {
  /** Whether the request carries the token; see `basicPassword`. */
  authorize(request: Request): boolean | Promise<boolean>;
  findRepository(name: RepositoryName): Promise<HostedRepository | null>;
  findOrCreateRepository(name: RepositoryName): Promise<HostedRepository>;
  /**
   * Stores one delivery a ref and answers with their ids. An annotated tag has the id of its tag object.
   * `head` is the repository's default branch by its full name, where it could be read.
   */
  recordPush(
    repositoryId: number,
    refs: readonly RefCommand[],
    head: string | null,
  ): Promise<readonly string[]>;
  /**
   * What AME decided, as lines for the terminal. Ends by itself, or when the signal says that time is up;
   * the door tells the person about the latter.
   */
  decisionLines(deliveryIds: readonly string[], signal: AbortSignal): AsyncIterable<string>;
  /** Whether the database answers. */
  ready(): Promise<boolean>;
  /** Told of every error that the client sees as a short sentence only. */
  failed(error: unknown): void;
  /** Milliseconds that a push waits to be stored and decided; 5,000 where unsaid. */
  readonly patience?: number;
  /** Bytes of a push; 2 GiB where unsaid. */
  readonly maxPushBytes?: number;
};

/** What a client is told while no file or program can be opened. */
const outOfHandles = 'AME has too many files and connections open at the moment; try again in a moment';

/** Bytes of a fetch's request once unpacked: it lists commits, and git holds the list in memory. */
const fetchRequestLimit = 32 * 1024 * 1024;

/** The smart HTTP protocol of git under `/git/<owner>/<name>`, for clones, fetches and pushes. */
export function createGitDoor(deps: GitDoorDeps): Hono {
  const door = new Hono();
  door.use('/git/*', async (context, next) => {
    if (await deps.authorize(context.req.raw)) return next();
    const headers = { 'www-authenticate': 'Basic realm="AME", charset="UTF-8"' };
    return plain(401, 'AME asks for its token as the password', headers);
  });
  door.get('/git/:owner/:name/info/refs', (context) => infoRefs(context, deps));
  door.post('/git/:owner/:name/git-upload-pack', (context) => fetchFrom(context, deps));
  door.post('/git/:owner/:name/git-receive-pack', (context) => pushTo(context, deps));
  door.onError((error) => {
    deps.failed(error);
    if (isOutOfHandles(error)) return plain(503, outOfHandles);
    return plain(500, 'AME failed to answer; its log says why');
  });
  return door;
}

async function infoRefs(context: Context, deps: GitDoorDeps): Promise<Response> {
  const name = parseRepositoryName(context.req.param('owner') ?? '', context.req.param('name') ?? '');
  if (typeof name === 'string') return plain(400, name);
  const service = context.req.query('service');
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') {
    return plain(400, 'this address speaks the smart protocol of git only; use git clone or git push');
  }
  const repository = await find(name, service, deps);
  if (repository instanceof Response) return repository;
  const protocol = service === 'git-upload-pack' ? parseProtocol(context.req.header('git-protocol')) : null;
  const advertisement = advertiseRefs(repository.directory, service, protocol);
  // Version 2 has no header of its own; the older ones say first which service speaks.
  const header = protocol === 'version=2' ? [] : [encodePkt(`# service=${service}\n`), flushPkt];
  return stream(`application/x-${service}-advertisement`, await started(header, advertisement));
}

async function fetchFrom(context: Context, deps: GitDoorDeps): Promise<Response> {
  const asked = parseRequest(context, 'git-upload-pack');
  if (asked instanceof Response) return asked;
  const repository = await find(asked.name, 'git-upload-pack', deps);
  if (repository instanceof Response) return repository;
  const protocol = parseProtocol(context.req.header('git-protocol'));
  const answer = uploadPack(repository.directory, atMost(asked.body, fetchRequestLimit), protocol);
  return stream('application/x-git-upload-pack-result', quietly(answer, deps));
}

async function find(
  name: RepositoryName,
  service: GitService,
  deps: GitDoorDeps,
): Promise<HostedRepository | Response> {
  const pushing = service === 'git-receive-pack';
  let repository: HostedRepository | null;
  try {
    repository = await withinMs<HostedRepository | null>(askingMs(deps), () =>
      pushing ? deps.findOrCreateRepository(name) : deps.findRepository(name),
    );
  } catch (error) {
    deps.failed(error);
    return plain(503, pushing ? away : 'AME cannot reach its database; try again in a moment');
  }
  if (repository === null)
    return plain(404, `there is no repository ${name.owner}/${name.name}; a push creates it`);
  // The row is older than the directory where the process ended between the two.
  await createRepository(repository.directory);
  return repository;
}

async function* atMost(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body) {
    left -= chunk.length;
    if (left < 0) throw new RangeError(`the request is longer than ${bytes} bytes`);
    yield chunk;
  }
}

/** Waits for the first bytes, so that a failure before them becomes an answer of its own. */
async function started(
  header: readonly Uint8Array[],
  answer: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<AsyncGenerator<Uint8Array>> {
  const first = await answer.next();
  return (async function* () {
    yield* header;
    if (!first.done) yield first.value;
    yield* answer;
  })();
}

/** git has told the client itself what is wrong, inside its protocol; a torn connection would hide that. */
async function* quietly(answer: AsyncIterable<Uint8Array>, deps: GitDoorDeps): AsyncGenerator<Uint8Array> {
  try {
    yield* answer;
  } catch (error) {
    deps.failed(error);
  }
}
