import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { connectGithub } from '../../src/github/connect.ts';
import type { Github, GithubRepository } from '../../src/github/connection.ts';
import { createFakeGithub, type FakeGithub, type FakeGithubOptions } from '../fakes/github.ts';
import type { FakeInstallation } from '../fakes/github/world.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';

type Options = { readonly id?: number; readonly name?: string; readonly private?: boolean };
type Place = { readonly there: FakeRepository; readonly here: GithubRepository };

export type OnFake = {
  readonly fake: FakeGithub;
  readonly installation: FakeInstallation;
  /** As a process that has asked nothing yet. */
  readonly connect: () => Github;
  /** A repository of its own for a test. */
  readonly repository: (options?: Options) => Promise<Place>;
  /** Operations that were asked of the fake since this was called last, token exchanges apart. */
  readonly asked: () => readonly string[];
};

export function placeOf(repository: FakeRepository, installation: FakeInstallation): GithubRepository {
  return {
    installationId: String(installation.id),
    hostId: String(repository.id),
    owner: repository.owner.login,
    name: repository.name,
  };
}

/** One fake for the tests of a file. What broke GitHub's own description fails the file. */
export function onFake(options: FakeGithubOptions = {}): () => OnFake {
  const stack = new AsyncDisposableStack();
  let made: OnFake | null = null;
  let seen = 0;
  beforeAll(async () => {
    const fake = stack.use(await createFakeGithub(options));
    const installation = await fake.addInstallation({ account: 'acme' });
    let count = 0;
    made = {
      fake,
      installation,
      connect: () =>
        connectGithub({
          app: { id: fake.app.id, privateKey: fake.app.privateKey },
          apiUrl: fake.url,
          webUrl: fake.webUrl,
        }),
      repository: async (given = {}) => {
        count += 1;
        const there = await fake.addRepository(installation, {
          owner: 'acme',
          name: `pets-${count}`,
          ...given,
        });
        return { there, here: placeOf(there, installation) };
      },
      asked: () => {
        const asked = fake.requests.slice(seen).filter(({ tokenExchange }) => !tokenExchange);
        seen = fake.requests.length;
        return asked.map(({ operationId, method, path }) => operationId ?? `${method} ${path}`);
      },
    };
  });
  beforeEach(() => {
    made?.asked();
  });
  afterAll(async () => {
    const violations = made?.fake.violations ?? [];
    await stack.disposeAsync();
    expect(violations).toEqual([]);
  });
  return () => {
    if (made === null) throw new Error('the fake is there once the tests run');
    return made;
  };
}
