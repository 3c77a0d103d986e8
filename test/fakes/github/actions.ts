import { randomUUID } from 'node:crypto';
import type { RateLimit } from './limits.ts';
import { setRateLimit } from './limits.ts';
import { deliver, type DeliverOptions } from './deliver.ts';
import { addFault } from './faults.ts';
import { createGrants, type Grants } from './grants.ts';
import { createPresses, type Presses } from './presses.ts';
import type { FakeRepository } from './repository.ts';
import {
  accountOf,
  type Drop,
  type FakeCheckRun,
  type FakeDelivery,
  type FakeInstallation,
  type Manifest,
  type Match,
  type World,
} from './world.ts';

export type Level = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

/** What tests may do to a GitHub. See README.md. */
export type Actions = Grants &
  Presses & {
    setPermission(repository: FakeRepository, login: string, level: Level): void;
    checkRuns(repository: FakeRepository): readonly FakeCheckRun[];
    /** Stands for the administrator's press on GitHub's page; answers with the code that comes back. */
    confirmManifest(manifest: Manifest | string, options?: { readonly organization?: string }): string;
    deliver(event: string, payload: object, options?: DeliverOptions): Promise<FakeDelivery | null>;
    dropDeliveries(count: number, as?: Drop): void;
    failNext(match: Match, answer: Failure, times?: number): void;
    slowNext(match: Match, until: Promise<unknown>): void;
    loseAnswerNext(match: Match): void;
    rateLimit(installation: FakeInstallation, set: RateLimit | null): void;
  };

export type Failure = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export function createActions(world: World): Actions {
  return {
    ...createGrants(world),
    ...createPresses(world),
    setPermission(repository, login, level) {
      accountOf(world, login, 'User');
      repository.permissions.set(login.toLowerCase(), level);
    },
    checkRuns: (repository) => repository.checkRuns,
    confirmManifest(manifest, { organization } = {}) {
      const code = randomUUID().replaceAll('-', '');
      world.manifests.set(code, {
        manifest: typeof manifest === 'string' ? (JSON.parse(manifest) as Manifest) : manifest,
        owner: organization === undefined ? accountOf(world, 'ada', 'User') : accountOf(world, organization),
        confirmedAt: world.now(),
      });
      return code;
    },
    deliver: (event, payload, options) => deliver(world, event, payload, options),
    dropDeliveries(count, as = 'failed') {
      for (let at = 0; at < count; at += 1) world.drops.push(as);
    },
    failNext(match, { status, headers = {}, body = { message: 'Server Error' } }, times = 1) {
      addFault(world, match, times, { kind: 'fail', status, headers, body });
    },
    slowNext: (match, until) => addFault(world, match, 1, { kind: 'wait', until }),
    loseAnswerNext: (match) => addFault(world, match, 1, { kind: 'lose' }),
    rateLimit: (installation, set) => setRateLimit(world, installation.id, set),
  };
}
