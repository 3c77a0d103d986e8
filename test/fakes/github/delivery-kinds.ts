/* How an example of each kind of event becomes a delivery of the one small world. */

import { appId, part, type Payload } from './delivery-mending.ts';

export type DeliveryEdit = {
  /** Of the file. */
  readonly name: string;
  readonly event: string;
  /** The event of the example, where it is that of another. */
  readonly from?: string;
  /** Which of the examples. */
  readonly number: number;
  readonly edit?: (payload: Payload) => void;
};

export const none = '0'.repeat(40);
export const before = '6113728f27ae82c7b1a177c8d03f9e96e0adf246';
export const after = '1481a2de7b2a7d02428ad93446ab166be7793fbb';
export const other = '34c5c7793cb3b279e22454cb6750c80560547b3a';

type Push = {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly forced?: boolean;
  /** How many commits are listed. */
  readonly commits?: number;
  readonly message?: string;
  readonly modified?: readonly string[];
};

export function push(name: string, says: Push): DeliveryEdit {
  const edit = (payload: Payload): void => {
    const deleted = says.after === none;
    const [example] = payload['commits'] as readonly Payload[];
    const branch = says.ref.startsWith('refs/heads/');
    const listed = branch && !deleted ? (says.commits ?? 1) : 0;
    const commit = (id: string): Payload => ({
      ...example,
      id,
      url: `https://github.com/north-sea/wind-forecast/commit/${id}`,
      message: says.message ?? 'Train on three years instead of one',
      added: [],
      removed: [],
      modified: says.modified ?? ['ame.yaml'],
    });
    Object.assign(payload, {
      ref: says.ref,
      before: says.before,
      after: says.after,
      created: says.before === none,
      deleted,
      forced: says.forced ?? false,
      commits: Array.from({ length: listed }, (_, at) =>
        commit(at === listed - 1 ? says.after : (at + 1).toString(16).padStart(40, 'c')),
      ),
      head_commit: deleted ? null : commit(says.after),
    });
  };
  return { name: `push-${name}`, event: 'push', number: 4, edit };
}

type Pull = {
  readonly number?: number;
  readonly head?: string;
  readonly draft?: boolean;
  readonly fork?: boolean;
  readonly more?: (payload: Payload) => void;
};

export function pull(name: string, number: number, says: Pull = {}): DeliveryEdit {
  const edit = (payload: Payload): void => {
    const request = part(payload, 'pull_request');
    Object.assign(request, {
      number: says.number ?? 12,
      draft: says.draft ?? false,
      auto_merge: request['auto_merge'] ?? null,
    });
    payload['number'] = request['number'];
    Object.assign(part(request, 'base'), { ref: 'main', label: 'north-sea:main', sha: before });
    const head = part(request, 'head');
    Object.assign(head, { ref: 'batches', label: 'north-sea:batches', sha: says.head ?? after });
    if (says.fork) fork(head);
    says.more?.(payload);
  };
  return { name: `pull-request-${name}`, event: 'pull_request', number, edit };
}

function fork(head: Payload): void {
  const user = { login: 'mallory', id: 66_123 };
  Object.assign(part(head, 'user'), user);
  Object.assign(part(head, 'repo'), { id: 99_000_001, full_name: 'mallory/wind-forecast', fork: true });
  Object.assign(part(head, 'repo', 'owner'), user);
  head['label'] = 'mallory:batches';
}

export function repository(name: string, number: number, edit?: (payload: Payload) => void): DeliveryEdit {
  return { name: `repository-${name}`, event: 'repository', number, ...(edit ? { edit } : {}) };
}

/** A payload of the example with the action that the examples lack. */
export function repositoryAction(action: string, facts: Payload = {}): DeliveryEdit {
  return repository(action, 2, (payload) => {
    payload['action'] = action;
    Object.assign(part(payload, 'repository'), facts);
  });
}

export function check(
  name: string,
  number: number,
  edit?: (run: Payload, payload: Payload) => void,
): DeliveryEdit {
  return {
    name: `check-run-${name}`,
    event: 'check_run',
    number,
    edit: (payload) => {
      const run = part(payload, 'check_run');
      Object.assign(run, { head_sha: after, external_id: 'run:42', name: 'ame' });
      part(run, 'app')['id'] = appId;
      Object.assign(part(run, 'check_suite'), { head_sha: after });
      edit?.(run, payload);
    },
  };
}

export function suite(name: string, number: number): DeliveryEdit {
  return {
    name: `check-suite-${name}`,
    event: 'check_suite',
    number,
    edit: (payload) => {
      Object.assign(part(payload, 'check_suite'), { head_sha: after, after, before, head_branch: 'main' });
      part(payload, 'check_suite', 'app')['id'] = appId;
    },
  };
}

export function group(name: string, action: string, more: Payload = {}): DeliveryEdit {
  return {
    name: `merge-group-${name}`,
    event: 'merge_group',
    number: 0,
    edit: (payload) => {
      Object.assign(payload, { action, ...more });
      Object.assign(part(payload, 'merge_group'), {
        head_sha: other,
        head_ref: `refs/heads/gh-readonly-queue/main/pr-12-${before}`,
        base_sha: before,
        base_ref: 'refs/heads/main',
      });
      part(payload, 'merge_group', 'head_commit')['id'] = other;
    },
  };
}

export function installation(name: string, number: number, edit?: (payload: Payload) => void): DeliveryEdit {
  return { name: `installation-${name}`, event: 'installation', number, ...(edit ? { edit } : {}) };
}
