import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Options } from '../../src/storage/s3/client.ts';

/** One request, as a fault sees it. */
export type Asked = {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly response: ServerResponse;
  /** What the server would do without the fault. */
  readonly serve: () => void;
};

/** Answers instead of the server, or with `false` leaves it to it. */
export type Fault = (asked: Asked) => false | void;

/**
 * The wire of S3 as far as the store uses it, with faults on it. It checks no signatures and no checksums, as some
 * servers do not: what a good server does is tried on a good server.
 */
export async function createFakeS3(fault: Fault = () => false) {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const asked: string[] = [];
  const pauses: number[] = [];
  let now = 0;
  let mostAtOnce = 0;

  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    now += 1;
    mostAtOnce = Math.max(mostAtOnce, now);
    response.on('close', () => (now -= 1));
    const url = new URL(request.url ?? '', 'http://fake');
    const body = Buffer.concat(await Array.fromAsync(request));
    const key = url.pathname.replace(/^\/bucket\//, '');
    const query = url.searchParams;
    const { method = '', headers } = request;
    asked.push(
      [method, ...['uploads', 'uploadId', 'partNumber'].filter((name) => query.has(name))].join(' '),
    );
    const serve = (): void => serveS3(method, key, query, headers, body, response);
    if (fault({ method, key, query, headers, body, response, serve }) === false) serve();
  }

  function serveS3(
    method: string,
    key: string,
    query: URLSearchParams,
    headers: IncomingMessage['headers'],
    body: Buffer,
    response: ServerResponse,
  ): void {
    const id = query.get('uploadId');
    if (method === 'POST' && query.has('uploads')) {
      const made = randomUUID();
      uploads.set(made, new Map());
      return sendXml(
        response,
        200,
        `<InitiateMultipartUploadResult><UploadId>${made}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (id !== null) {
      const parts = uploads.get(id);
      if (!parts) return sendXml(response, 404, '<Error><Code>NoSuchUpload</Code></Error>');
      if (method === 'PUT') {
        parts.set(Number(query.get('partNumber')), body);
        response.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end();
        return;
      }
      uploads.delete(id);
      if (method === 'DELETE') return void response.writeHead(204).end();
      const sorted = [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
      objects.set(key, Buffer.concat(sorted));
      return sendXml(
        response,
        200,
        '<CompleteMultipartUploadResult><ETag>"x-1"</ETag></CompleteMultipartUploadResult>',
      );
    }
    if (method === 'PUT') {
      objects.set(key, body);
      response.writeHead(200, { etag: '"x"' }).end();
      return;
    }
    if (method === 'DELETE') {
      objects.delete(key);
      response.writeHead(204).end();
      return;
    }
    if (method === 'GET' && query.get('list-type') === '2') {
      const found = [...objects].filter(([name]) => name.startsWith(query.get('prefix') ?? ''));
      const contents = found.map(
        ([name, { length }]) =>
          `<Contents><Key>${name}</Key><Size>${length}</Size><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>`,
      );
      return sendXml(
        response,
        200,
        `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
      );
    }
    const object = objects.get(key);
    if (!object)
      return method === 'HEAD'
        ? void response.writeHead(404).end()
        : sendXml(response, 404, '<Error><Code>NoSuchKey</Code></Error>');
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    if (range && from >= object.length)
      return sendXml(response, 416, '<Error><Code>InvalidRange</Code></Error>');
    const part = object.subarray(from, range?.[2] ? Number(range[2]) + 1 : undefined);
    response.writeHead(range ? 206 : 200, { 'content-length': part.length });
    response.end(method === 'HEAD' ? undefined : part);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  const options: S3Options = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'bucket',
    region: 'us-east-1',
    accessKeyId: 'ame',
    secretAccessKey: 'hunter2-hunter2',
    prefix: '',
    pause: async (milliseconds) => void pauses.push(milliseconds),
  };
  return {
    options,
    objects,
    uploads,
    /** Methods and what tells their kinds apart, in order. */
    asked,
    pauses,
    mostAtOnce: () => mostAtOnce,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function sendXml(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
}
