import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** An admission webhook on 127.0.0.1 that refuses everything, with a certificate of its own. */
export async function startWebhook(): Promise<{ server: Server; url: string; certificate: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-webhook-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  try {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', key, '-out', cert];
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      ...files,
      ...subject,
    ]);
    const certificate = await readFile(cert);
    const server = createServer({ key: await readFile(key), cert: certificate }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const review: { request: { uid: string } } = JSON.parse(Buffer.concat(parts).toString());
        const status = { message: 'pods need a cost centre' };
        const answer = { uid: review.request.uid, allowed: false, status };
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return { server, url: `https://127.0.0.1:${port}/`, certificate: certificate.toString('base64') };
  } finally {
    await rm(directory, { recursive: true });
  }
}
