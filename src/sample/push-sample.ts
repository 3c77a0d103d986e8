import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { gitEnvironment, type GitSetting } from '../git/environment.ts';

export const sampleRepository = { owner: 'samples', name: 'weather' } as const;

/** The sample cannot be pushed. The message is one line for people. */
export class SampleError extends Error {
  override name = 'SampleError';
}

export type SampleHost = {
  /** Of the server, without a slash at its end. */
  readonly address: string;
  readonly token: string;
  readonly signal?: AbortSignal;
};

/** Whether the host has the sample already, with at least one branch. */
export async function hasSample(host: SampleHost): Promise<boolean> {
  const response = await fetch(`${repositoryAddress(host)}/info/refs?service=git-upload-pack`, {
    headers: { authorization: basicCredentials(host) },
    ...(host.signal ? { signal: host.signal } : {}),
  });
  const body = await response.text();
  if (response.status === 404) return false;
  if (!response.ok)
    throw new SampleError(`The Git host answered with HTTP ${response.status}: ${body.trim()}`);
  return body.includes(' refs/heads/');
}

/**
 * Makes a repository of the sample's files and pushes it as a person would. Its commit is always the same, so a
 * push that is repeated changes nothing. `heard` gets the lines that the host sends. Answers with the commit.
 */
export async function pushSample(host: SampleHost, heard: (line: string) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-sample-'));
  try {
    await cp(sampleFiles(), directory, { recursive: true, filter: (path) => !path.includes('__pycache__') });
    await git(host, directory, ['init', '--quiet', '--template=', '--initial-branch=main']);
    await git(host, directory, ['add', '--all']);
    await git(host, directory, ['commit', '--quiet', '--message', 'A pipeline that learns when it rains']);
    const commit = await git(host, directory, ['rev-parse', 'HEAD']);
    await git(
      host,
      directory,
      ['push', '--no-progress', repositoryAddress(host), 'HEAD:refs/heads/main'],
      heard,
    );
    return commit.trim();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Beside this file in the source, beside the program where it is built. */
function sampleFiles(): string {
  const places = ['files', 'sample'].map((name) => join(import.meta.dirname, name));
  const found = places.find((place) => existsSync(join(place, 'ame.yaml')));
  if (found === undefined)
    throw new SampleError('The files of the sample are missing from this installation.');
  return found;
}

function repositoryAddress({ address }: SampleHost): string {
  return `${address}/git/${sampleRepository.owner}/${sampleRepository.name}.git`;
}

function basicCredentials({ token }: SampleHost): string {
  return `Basic ${Buffer.from(`ame:${token}`).toString('base64')}`;
}

/** Fixed, so that the commit is. */
const date = '2026-01-01T00:00:00Z';

async function git(
  host: SampleHost,
  directory: string,
  args: readonly string[],
  heard: (line: string) => void = () => {},
): Promise<string> {
  const settings: readonly GitSetting[] = [
    ['user.name', 'AME'],
    ['user.email', 'ame@localhost'],
    ['commit.gpgSign', 'false'],
    ['core.autocrlf', 'false'],
    ['protocol.http.allow', 'always'],
    // Here it is seen by no list of processes and stored in no file.
    ['http.extraHeader', `Authorization: ${basicCredentials(host)}`],
  ];
  const env = gitEnvironment(join(directory, '.git'), { settings });
  const child = spawn('git', args, {
    cwd: directory,
    env: { ...env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    ...(host.signal ? { signal: host.signal } : {}),
  });
  const said: string[] = [];
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stderr })) {
      const [, remote] = /^remote: ?(.*?)\s*$/.exec(line) ?? [];
      if (remote === undefined) said.push(line.trim());
      else heard(remote);
    }
  })();
  const [[code], output] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    reading,
  ]);
  if (code === 0) return output;
  const reason = said.findLast((line) => line !== '') ?? `it ended with ${code ?? 'a signal'}`;
  throw new SampleError(`The sample could not be pushed: git ${args[0] ?? ''}: ${reason}`);
}
