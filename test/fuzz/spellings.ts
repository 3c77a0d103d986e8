import { createHash } from 'node:crypto';

/** How programs write a value down, made by Node's own functions and by hand, not by those of the code under test. */
export const spellings: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  base64: (secret) => Buffer.from(secret).toString('base64'),
  'base64 behind one byte': (secret) => Buffer.from(`u${secret}`).toString('base64'),
  'base64 behind two bytes': (secret) => Buffer.from(`u:${secret}`).toString('base64'),
  'base64 in the middle': (secret) => Buffer.from(`joe:${secret}@host`).toString('base64'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  HEX: (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  URL: (secret) => encodeURIComponent(secret),
  form: (secret) => new URLSearchParams({ key: secret }).toString(),
  address: (secret) => `https://joe:${encodeURIComponent(secret)}@host/`,
  JSON: (secret) => JSON.stringify({ key: secret }),
  'JSON in JSON': (secret) => JSON.stringify({ line: JSON.stringify({ key: secret }) }),
  'JSON in ASCII': (secret) =>
    JSON.stringify(secret).replaceAll(
      /[\u0080-\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  shell: (secret) => `'${secret.replaceAll("'", `'\\''`)}'`,
  'shell in double quotes': (secret) => `"${secret.replaceAll(/["\\$`]/g, '\\$&')}"`,
  HTML: (secret) =>
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
};

/** Text that says nothing about any secret, the same for the same number. */
export function filler(number: number): string {
  return createHash('sha256').update(String(number)).digest('base64').slice(0, 20);
}
