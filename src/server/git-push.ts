import type { Context } from 'hono';
import { createByteReader } from '../git/byte-reader.ts';
import { createRepository } from '../git/host.ts';
import { refusal } from '../git/push-answer.ts';
import { isPushable, onlyBranchesAndTags } from '../git/push-effect.ts';
import {
  parseReceiveCommands,
  RefNameError,
  type PushRequest,
  type RefCommand,
} from '../git/receive-commands.ts';
import { drain, refuseNames, takePush } from '../git/take-push.ts';
import type { GitDoorDeps, HostedRepository } from './git.ts';
import { none, parseRequest, plain, stream } from './git-exchange.ts';
import { databaseMs, withinMs } from './within.ts';

/** Refs that one push may name; each becomes a delivery. */
const refLimit = 50;
/** Milliseconds that a push waits for the decision where nothing else is said. */
const usualPatienceMs = 5_000;
/** What a client is told while the database does not answer. */
export const away = 'AME cannot reach its database; nothing was changed, push again in a moment';

/** Milliseconds that the database has for a question of whoever pushes or fetches. */
export function askingMs(deps: Pick<GitDoorDeps, 'patience'>): number {
  return Math.min(deps.patience ?? usualPatienceMs, databaseMs);
}

/** Takes in a push: refused whole before git sees it, or carried out, recorded and answered. */
export async function pushTo(context: Context, deps: GitDoorDeps): Promise<Response> {
  const asked = parseRequest(context, 'git-receive-pack');
  if (asked instanceof Response) return asked;
  const reader = createByteReader(asked.body);
  const type = 'application/x-git-receive-pack-result';
  let request: PushRequest;
  try {
    request = await parseReceiveCommands(reader);
  } catch (error) {
    await drain(reader);
    if (error instanceof RefNameError) return stream(type, refuseNames(error));
    return plain(400, error instanceof Error ? error.message : 'the push could not be read');
  }
  // Before a long push git tries whether it is let in, with a request that asks for nothing.
  if (request.commands.length === 0) return stream(type, none());
  const refused = refuse(request) ?? ((await isReady(deps)) ? null : { reason: () => away, lines: [] });
  if (refused) {
    await drain(reader);
    return stream(type, refusal(request, refused.reason, refused.lines));
  }
  let repository: HostedRepository;
  try {
    repository = await withinMs(askingMs(deps), () => deps.findOrCreateRepository(asked.name));
  } catch (error) {
    deps.failed(error);
    await drain(reader);
    return stream(
      type,
      refusal(request, () => away, []),
    );
  }
  await createRepository(repository.directory);
  const answer = takePush(repository.directory, request, reader, {
    maxBytes: deps.maxPushBytes ?? 2 * 1024 ** 3,
    settled: (moved, head) => pushLines(repository.id, moved, head, deps),
    failed: (error) => deps.failed(error),
  });
  return stream(type, toTheEnd(answer, deps));
}

type Refusal = { readonly reason: (ref: string) => string; readonly lines: readonly string[] };

/** Why a push is refused as a whole before git sees it; `null` where git may. */
function refuse(request: PushRequest): Refusal | null {
  if (request.commands.length > refLimit) {
    return {
      reason: () => `more than ${refLimit} refs in one push`,
      lines: [
        `${request.commands.length} refs at once, and AME takes ${refLimit}: nothing was changed.`,
        'Push them in smaller groups, such as: git push <remote> main',
      ],
    };
  }
  // Without --atomic git refuses the foreign refs one by one; with it all of them must stay.
  if (request.capabilities.has('atomic') && request.commands.some(({ ref }) => !isPushable(ref))) {
    return {
      reason: (ref) => (isPushable(ref) ? 'another ref of the push was refused' : onlyBranchesAndTags),
      lines: [],
    };
  }
  return null;
}

/** Records what moved and tells what was decided. Never throws: the refs have moved, and the client learns it. */
async function* pushLines(
  repositoryId: number,
  moved: readonly RefCommand[],
  head: string | null,
  deps: GitDoorDeps,
): AsyncGenerator<string, void, undefined> {
  try {
    const patience = deps.patience ?? usualPatienceMs;
    // One patience for both: while the database hangs, git shows nothing to the one who waits.
    const signal = AbortSignal.timeout(patience);
    const deliveryIds = await withinMs(patience, () => deps.recordPush(repositoryId, moved, head));
    yield* until(signal, deps.decisionLines(deliveryIds, signal));
    if (signal.aborted) yield 'AME is still deciding; the answer will be on the commit.';
  } catch (error) {
    deps.failed(error);
    yield 'The push is stored. AME could not look at it yet and will do so by itself.';
  }
}

async function* until(
  signal: AbortSignal,
  lines: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  const iterator = lines[Symbol.asyncIterator]();
  const timeUp = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  for (;;) {
    const next = iterator.next();
    const result = await Promise.race([next, timeUp]);
    if (result === null) {
      // The lines may never come; nobody waits for them any more, and nobody hears why they failed.
      next.catch(() => undefined);
      Promise.resolve(iterator.return?.()).catch(() => undefined);
      return;
    }
    if (result.done) return;
    yield result.value;
  }
}

async function isReady(deps: GitDoorDeps): Promise<boolean> {
  try {
    return await withinMs(askingMs(deps), () => deps.ready());
  } catch (error) {
    deps.failed(error);
    return false;
  }
}

/** An answer that is carried out to its end even where the client leaves: its refs may have moved already. */
function toTheEnd(answer: AsyncIterable<Uint8Array>, deps: GitDoorDeps): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  async function pump(): Promise<void> {
    let listening = true;
    for await (const chunk of answer) {
      if (!listening) continue;
      listening = await writer.write(chunk).then(
        () => true,
        () => false,
      );
    }
    if (listening) await writer.close();
  }
  pump().catch((error: unknown) => {
    deps.failed(error);
    return writer.abort(error).catch(() => undefined);
  });
  return readable;
}
