// Probot in a process of its own, with a handler that does nothing: the directory of its packages, then the webhook's
// secret. Says the port that it listens on.
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [directory = '', secret = ''] = process.argv.slice(2);
const { Probot, Server } = await import(
  pathToFileURL(join(directory, 'node_modules', 'probot', 'lib', 'index.js')).href
);
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const server = new Server({
  Probot: Probot.defaults({ appId: 1, privateKey, secret, logLevel: 'fatal' }),
  port: Number(process.env.PORT),
  host: '127.0.0.1',
});
await server.load((app) => app.on('push', () => {}));
await server.start();
console.log('ready');
