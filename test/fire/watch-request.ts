import type { ClientRequest, IncomingMessage } from 'node:http';
import { GoneError, lostAnswer, watchedNow } from './points.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/** A place on a server without what is another one each time: ids, digests and the directories made from them. */
export function pathOf(url: string): string {
  const { pathname } = new URL(url);
  return pathname.replaceAll(/\/[0-9a-f]{2}(?=\/[0-9a-f]{8,})/g, '/n').replaceAll(/[0-9a-f]{8,}|\d+/g, 'n');
}

/** Requests of `node:http`, which are answered by an event: one that never leaves, and one whose answer never comes. */
export function watchRequest(own: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const watched = watchedNow();
    const [url, options] = args as [unknown, { readonly method?: string } | undefined];
    if (watched === undefined || !(url instanceof URL)) return Reflect.apply(own, this, args);
    const answered = args.find((each) => typeof each === 'function') as
      ((response: IncomingMessage) => void) | undefined;
    const way = watched.life.dead
      ? 'before'
      : watched.meet('request', `${options?.method ?? 'GET'} ${pathOf(url.href)}`);
    const request = Reflect.apply(
      own,
      this,
      args.filter((each) => each !== answered),
    ) as ClientRequest;
    if (way === 'before') {
      request.destroy(watched.life.dead ? new GoneError('the process is gone') : lostAnswer('ETIMEDOUT'));
      return request;
    }
    request.once('response', (response: IncomingMessage) => {
      if (way !== 'lost' && !watched.life.dead) {
        if (way === 'after') watched.life.dead = true;
        return answered?.(response);
      }
      response.destroy();
      request.emit(
        'error',
        watched.life.dead ? new GoneError('the process is gone') : lostAnswer('ETIMEDOUT'),
      );
      return undefined;
    });
    return request;
  };
}
