import type { z } from 'zod';
import type { ActionOf, GithubEvent, Unreadable } from './payload-event.ts';
import { actions, shapes, type ShapeName } from './payload-shapes.ts';

/**
 * What a delivery says, by its event's name and the raw body. Never throws: what does not have the shape that
 * GitHub documents is `unreadable`, with the reason in words that name the place and repeat nothing of the body.
 */
export function narrowDelivery(event: string, body: Uint8Array): GithubEvent | Unreadable {
  const payload = parse(body);
  if (payload === null) return { kind: 'unreadable', reason: 'the body is not a JSON object in UTF-8' };
  const action = actionOf(payload);
  if (!isKnown(event)) return { kind: 'other', action };
  try {
    return narrow(event, action, payload);
  } catch (error) {
    if (error instanceof ShapeError) return { kind: 'unreadable', reason: `${event}: ${error.message}` };
    throw error;
  }
}

/** Whether AME does anything about an event of this name. */
export function isActedOn(event: string): boolean {
  return isKnown(event);
}

class ShapeError extends Error {
  override name = 'ShapeError';
}

function parse(body: Uint8Array): object | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    // Neither the decoder nor the parser has another way to say no.
    return null;
  }
}

function actionOf(payload: object): string | null {
  // A word of GitHub's, or nothing that is worth to be kept.
  return 'action' in payload && typeof payload.action === 'string' && /^\w{1,100}$/.test(payload.action)
    ? payload.action
    : null;
}

function isKnown(event: string): event is ShapeName {
  return Object.hasOwn(shapes, event);
}

function take<Name extends ShapeName>(name: Name, payload: object): z.output<(typeof shapes)[Name]>;
function take(name: ShapeName, payload: object): unknown {
  const read = shapes[name].safeParse(payload);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  // A key of a record may be the sender's word, and goes into the log: only what GitHub writes is repeated.
  const place =
    issue?.path.map((key) => (/^\w{1,60}$/.test(String(key)) ? String(key) : '…')).join('.') ?? '';
  throw new ShapeError(`${place === '' ? 'the payload' : place}: ${issue?.message ?? 'not as documented'}`);
}

function narrow(event: ShapeName, action: string | null, payload: object): GithubEvent {
  const other = { kind: 'other', action } as const;
  switch (event) {
    case 'push':
      return { kind: event, ...take(event, payload) };
    case 'ping':
      return { kind: event, ...take(event, payload) };
    case 'pull_request':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'merge_group':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'installation':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'installation_repositories':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'installation_target':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'repository':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'check_run':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
    case 'check_suite':
      return isAction(event, action) ? { kind: event, action, ...take(event, payload) } : other;
  }
}

function isAction<Event extends keyof typeof actions>(
  event: Event,
  action: string | null,
): action is ActionOf<Event> {
  const known: readonly string[] = actions[event];
  return action !== null && known.includes(action);
}
