import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import type { Github, GithubApp } from './connection.ts';
import { GithubRefusedError } from './errors.ts';

/** GitHub takes ten minutes at most; one is given to clocks that go before ours, one to those that go after. */
const backdatedSeconds = 60;
const validSeconds = 9 * 60;
const reusedSeconds = 5 * 60;

/**
 * The App's own credential, signed anew every five minutes. Throws `GithubRefusedError` where the key is none.
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 */
export function appJwt(github: Pick<Github, 'app' | 'clock' | 'jwt'>): string {
  const now = Math.floor(github.clock().getTime() / 1000);
  const kept = github.jwt.signed;
  // Also where the clock was set back: what was signed before may then lie in the future.
  if (kept && now < kept.renewAt && kept.renewAt - now <= reusedSeconds) return kept.token;
  const token = sign(github.app, {
    iat: now - backdatedSeconds,
    exp: now + validSeconds,
    iss: github.app.id,
  });
  github.jwt.signed = { token, renewAt: now + reusedSeconds };
  return token;
}

function sign(app: GithubApp, claims: object): string {
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  const signature = createSign('RSA-SHA256').update(signed).sign(readKey(app.privateKey), 'base64url');
  return `${signed}.${signature}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function readKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    // Variables of an environment often carry `\n` as two characters.
    key = createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch {
    // The reason that OpenSSL gives helps nobody, and the text of a key belongs into no message.
    throw new GithubRefusedError("The App's private key is no PEM text of an unencrypted RSA key", 401);
  }
  if (key.asymmetricKeyType === 'rsa') return key;
  throw new GithubRefusedError(`The App's private key is of type ${key.asymmetricKeyType}, not RSA`, 401);
}
