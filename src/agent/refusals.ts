import type { Fault } from '../core/attempt.ts';
import { pathText } from '../core/snapshot/path-text.ts';

/** Something in a workspace that no snapshot can hold; paths are bytes as latin1. */
export type Refusal =
  | { readonly path: string; readonly why: 'leaves'; readonly target: string }
  | {
      readonly path: string;
      readonly why: 'device' | 'socket' | 'pipe' | 'unreadable' | 'too-long' | 'changing' | 'gone';
    };

/** Names that are listed; the rest is counted. */
const mostNamed = 10;

const reasons = {
  device: 'a device',
  socket: 'a socket',
  pipe: 'a named pipe',
  unreadable: 'cannot be read',
  'too-long': 'its path is too long',
  gone: 'was removed, replaced or closed',
  changing: 'became something else each time it was looked at',
} as const;

/** What to do about each, in the order in which it is said. */
const advice: readonly (readonly [ReadonlySet<Refusal['why']>, string])[] = [
  [new Set(['leaves']), 'A symbolic link must be relative and stay inside the workspace.'],
  [
    new Set(['pipe', 'socket', 'device']),
    'Named pipes, sockets and devices have no content to keep: make them below $TMPDIR, or remove them before the task ends.',
  ],
  [
    new Set(['unreadable']),
    'Make files readable (chmod u+r) and directories as well (chmod u+rx) before the task ends.',
  ],
  [new Set(['too-long']), 'Use shorter names or fewer directories.'],
  [new Set(['gone']), 'Leave the workspace itself where it is.'],
  [new Set(['changing']), 'Wait for what still writes before the task ends.'],
];

/** What the user is told about them. */
export function describeRefusals(refusals: readonly Refusal[]): Fault {
  const named = refusals.slice(0, mostNamed).map((refusal) => `${nameOf(refusal)} (${reasonOf(refusal)})`);
  const rest = refusals.length - named.length;
  const remedies = advice
    .filter(([kinds]) => refusals.some(({ why }) => kinds.has(why)))
    .map(([, text]) => text);
  const list = `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  return {
    class: 'content_refused',
    message: `The workspace holds what cannot be kept: ${list}. ${remedies.join(' ')}`,
  };
}

function nameOf({ path }: Refusal): string {
  return path === '' ? 'its own directory' : pathText(path);
}

function reasonOf(refusal: Refusal): string {
  if (refusal.why !== 'leaves') return reasons[refusal.why];
  return `a symbolic link that leaves the workspace, to ${pathText(refusal.target)}`;
}
