import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Refused } from './answer.ts';
import { findRepository } from './ask.ts';
import { followPulls } from './pulls.ts';
import type { FakeRepository } from './repository.ts';
import { covers, findToken } from './tokens.ts';
import type { World } from './world.ts';

export type GitOperation = 'git/info-refs' | 'git/upload-pack' | 'git/receive-pack';

/** Which part of git's smart protocol a request is; null where it is none. */
export function gitOperation(method: string, url: URL): GitOperation | null {
  if (method === 'GET' && url.pathname.endsWith('/info/refs'))
    return url.searchParams.get('service') === 'git-receive-pack' ? 'git/receive-pack' : 'git/info-refs';
  if (method !== 'POST') return null;
  if (url.pathname.endsWith('/git-upload-pack')) return 'git/upload-pack';
  return url.pathname.endsWith('/git-receive-pack') ? 'git/receive-pack' : null;
}

/** Lets real git answer a fetch; returns the status. A lost answer is cut after git did its work. */
export async function answerGit(
  world: World,
  operation: GitOperation,
  incoming: IncomingMessage,
  raw: Buffer,
  outgoing: ServerResponse,
  lost: boolean,
): Promise<number> {
  const repository = await admit(world, operation, incoming);
  if (typeof repository === 'object' && 'status' in repository) {
    const headers = repository.status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {};
    outgoing.writeHead(repository.status, { 'content-type': 'text/plain', ...headers });
    outgoing.end(repository.text);
    return repository.status;
  }
  await followPulls(repository);
  const protocol = incoming.headers['git-protocol'];
  const advertise = operation === 'git/info-refs';
  const body = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const out = await uploadPack(repository.directory, advertise, protocol, body);
  if (lost) {
    outgoing.destroy();
    return 200;
  }
  const header = advertise && protocol !== 'version=2' ? '001e# service=git-upload-pack\n0000' : '';
  outgoing.writeHead(200, {
    'content-type': `application/x-git-upload-pack-${advertise ? 'advertisement' : 'result'}`,
    'cache-control': 'no-cache',
  });
  outgoing.end(Buffer.concat([Buffer.from(header), out]));
  return 200;
}

async function admit(
  world: World,
  operation: GitOperation,
  incoming: IncomingMessage,
): Promise<FakeRepository | { readonly status: number; readonly text: string }> {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(?:info\/refs|git-\w+-pack)$/.exec(
    new URL(incoming.url ?? '/', world.webUrl).pathname,
  );
  const gone = { status: 404, text: 'Repository not found.' };
  if (!match) return gone;
  const [user, password] = basic(incoming.headers.authorization);
  if (user === null || password === null) return { status: 401, text: 'Repository not found.' };
  if (user !== 'x-access-token') return { status: 401, text: 'Invalid username or token.' };
  try {
    const token = findToken(world, password);
    const found = findRepository(
      world,
      token,
      decodeURIComponent(match[1] ?? ''),
      decodeURIComponent(match[2] ?? ''),
    );
    if (!found) return gone;
    const level = operation === 'git/receive-pack' ? 'write' : 'read';
    if (!covers(token.permissions, 'contents', level) || operation === 'git/receive-pack')
      return { status: 403, text: 'Write access to repository not granted.' };
    return found.repository;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.answer.status === 401
      ? { status: 401, text: 'Invalid username or token.' }
      : { status: 403, text: 'This installation has been suspended' };
  }
}

function basic(header: string | undefined): readonly [user: string | null, password: string | null] {
  const [scheme = '', value = ''] = (header ?? '').split(' ');
  if (!/^basic$/i.test(scheme)) return [null, null];
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? [null, null] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Any object may be asked for by its id, as on GitHub. */
const settings = { 'uploadpack.allowAnySHA1InWant': 'true', 'uploadpack.allowFilter': 'true' };

function uploadPack(
  directory: string,
  advertise: boolean,
  protocol: string | string[] | undefined,
  body: Buffer,
): Promise<Buffer> {
  const configuration = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const mode = advertise ? ['--http-backend-info-refs'] : [];
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...configuration, 'upload-pack', '--stateless-rpc', ...mode, directory], {
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    // What git refuses it says within its own protocol, so that its exit code adds nothing.
    child.once('close', () => resolve(Buffer.concat(out)));
    child.stdin.end(body);
  });
}
