import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';

/** What an image of this registry is like; it is the first part of its name. */
export type ImageKind =
  | 'private'
  | 'forbidden'
  | 'busy'
  | 'failing'
  | 'foreign'
  | 'empty'
  | 'garbled'
  | 'torn'
  | 'held'
  | 'missing';

/** A registry of bad answers. */
export type BadRegistry = {
  readonly server: Server;
  readonly host: string;
  /** Resolves once somebody has asked for `held`. */
  readonly asked: Promise<void>;
  /** From here on `held` is handed out. */
  free(): void;
};

/**
 * A registry of bad answers on 127.0.0.1, for nodes on this machine: what runtimes fetch from there goes over plain
 * HTTP. The first part of an image's name says what is wrong with it: `private`, `forbidden`, `busy` and `failing` are
 * refused; `foreign` is for other machines; `empty` has no `sh`, and `garbled` one that no machine can run; the content
 * of `torn` is not what its digest says; `held` is an empty one that is not answered until `free`; others are missing.
 */
export async function startBadRegistry(): Promise<BadRegistry> {
  const images = {
    empty: imageOf([{ name: 'nothing', content: '', mode: 0o644 }]),
    garbled: imageOf([{ name: 'bin/sh', content: '\u007fELF and nothing of it\n', mode: 0o755 }]),
    torn: imageOf([{ name: 'torn', content: '', mode: 0o644 }], { isTorn: true }),
    held: imageOf([{ name: 'held', content: '', mode: 0o644 }]),
  };
  const asked = Promise.withResolvers<void>();
  const freed = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const [, , kind = '', , part = '', name = ''] = (request.url ?? '').split('/');
    const isHead = request.method === 'HEAD';
    if (kind === 'held') {
      asked.resolve();
      void freed.promise.then(() => answer(response, isHead, images.held.get(`${part}/${name}`)));
    } else if (kind === 'empty' || kind === 'garbled' || kind === 'torn') {
      answer(response, isHead, images[kind].get(`${part}/${name}`));
    } else answer(response, isHead, refusals[kind]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { server, host: `127.0.0.1:${port}`, asked: asked.promise, free: () => freed.resolve() };
}

type Answer = {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

function answer(response: ServerResponse, isHead: boolean, found: Answer = missing): void {
  const { status, body, headers } = found;
  response.writeHead(status, { 'content-length': String(body.length), ...headers });
  response.end(isHead ? undefined : body);
}

function refusal(status: number, code: string, message: string, headers: Answer['headers'] = {}): Answer {
  const body = Buffer.from(JSON.stringify({ errors: code === '' ? [] : [{ code, message }] }));
  return { status, body, headers: { 'content-type': 'application/json', ...headers } };
}

const missing = refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown');

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

const refusals: Readonly<Record<string, Answer>> = {
  private: refusal(401, 'UNAUTHORIZED', 'authentication required', {
    'www-authenticate': 'Basic realm="private"',
  }),
  forbidden: refusal(403, 'DENIED', 'requested access to the resource is denied'),
  busy: refusal(429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.'),
  failing: refusal(503, '', ''),
  foreign: {
    status: 200,
    headers: { 'content-type': indexType },
    body: Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [
          {
            mediaType: manifestType,
            digest: `sha256:${'0'.repeat(64)}`,
            size: 500,
            platform: { architecture: 's390x', os: 'linux' },
          },
        ],
      }),
    ),
  },
};

type FileInImage = { readonly name: string; readonly content: string; readonly mode: number };

/** An image of one layer for this machine, by the paths that a runtime asks for it. */
function imageOf(
  files: readonly FileInImage[],
  { isTorn = false }: { readonly isTorn?: boolean } = {},
): ReadonlyMap<string, Answer> {
  const layer = Buffer.concat([...files.map(tarEntry), Buffer.alloc(1_024)]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const part = (mediaType: string, content: Buffer): object => ({
    mediaType,
    digest: digestOf(content),
    size: content.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: part('application/vnd.oci.image.config.v1+json', config),
      layers: [part('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  );
  const blob = (body: Buffer): Answer => ({
    status: 200,
    body,
    headers: { 'content-type': 'application/octet-stream' },
  });
  const whole: Answer = {
    status: 200,
    body: manifest,
    headers: { 'content-type': manifestType, 'docker-content-digest': digestOf(manifest) },
  };
  return new Map([
    ['manifests/1', whole],
    [`manifests/${digestOf(manifest)}`, whole],
    [`blobs/${digestOf(config)}`, blob(config)],
    [`blobs/${digestOf(layer)}`, blob(isTorn ? Buffer.alloc(layer.length, 'x') : layer)],
  ]);
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A file in a tar archive: a block of 512 bytes about it, and its content in whole blocks. */
function tarEntry({ name, content, mode }: FileInImage): Buffer {
  const head = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  head.write(name, 0);
  head.write(octal(mode, 7), 100);
  head.write(octal(0, 7), 108);
  head.write(octal(0, 7), 116);
  head.write(octal(Buffer.byteLength(content), 11), 124);
  head.write(octal(0, 11), 136);
  // The sum is taken with eight spaces in its own place.
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar\u000000', 257);
  head.write(
    octal(
      head.reduce((sum, byte) => sum + byte, 0),
      6,
    ) + '\u0000 ',
    148,
  );
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
  body.write(content);
  return Buffer.concat([head, body]);
}
