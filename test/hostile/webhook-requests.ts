import { createHmac } from 'node:crypto';
import type { BadRequest } from './bad-request.ts';

export const webhookSecret = 'the secret of the webhook';

const body = JSON.stringify({ ref: 'refs/heads/main', ['__proto__']: { polluted: true } });
const right = signatureOf(body);

export function signatureOf(
  signed: string | Uint8Array,
  secret = webhookSecret,
  algorithm = 'sha256',
): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(signed).digest('hex')}`;
}

function delivery(
  name: string,
  status: number,
  given: {
    readonly body?: string | Uint8Array;
    readonly signature?: string | null;
    readonly headers?: Readonly<Record<string, string>>;
    readonly method?: string;
  },
): BadRequest {
  const { signature = right, headers, method = 'POST', body: sent = body } = given;
  return {
    door: 'webhook',
    name,
    status,
    method,
    path: '/webhooks/github',
    headers: {
      host: 'hooks.example.com',
      'content-type': 'application/json',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-github-event': 'push',
      ...(signature === null ? {} : { 'x-hub-signature-256': signature }),
      ...headers,
    },
    ...(method === 'GET' ? {} : { body: sent }),
  };
}

const hex = right.slice('sha256='.length);
const signatures: Readonly<Record<string, string | null>> = {
  'no signature': null,
  'an empty signature': '',
  'a signature without digits': 'sha256=',
  'the digits alone': hex,
  'the digits of SHA-1': signatureOf(body, webhookSecret, 'sha1'),
  'the digits of SHA-512': signatureOf(body, webhookSecret, 'sha512'),
  'SHA-1 under the name of SHA-256': signatureOf(body, webhookSecret, 'sha1').replace('sha1', 'sha256'),
  'another secret': signatureOf(body, 'a guess'),
  'an empty secret': signatureOf(body, ' '),
  'the secret with a line end': signatureOf(body, `${webhookSecret}\n`),
  zeros: `sha256=${'0'.repeat(64)}`,
  'digits that are none': `sha256=${'g'.repeat(64)}`,
  base64: `sha256=${Buffer.from(hex, 'hex').toString('base64')}`,
  'two in one': `${right},${right}`,
  'another one before it': `sha256=${'0'.repeat(64)}, ${right}`,
  'twice the prefix': `sha256=${right}`,
  'a digit more': `${right}0`,
  'in quotes': `"${right}"`,
  'the signature of another body, heard before': signatureOf('{}'),
  'the signature of no body': signatureOf(''),
  'the word undefined': 'sha256=undefined',
  'a very long one': `sha256=${hex.repeat(50)}`,
};

/** What nobody's GitHub sends, signed or not. */
export const hostileBodies: Readonly<Record<string, string | Uint8Array>> = {
  'a byte less': body.slice(0, -1),
  'a line end more': `${body}\n`,
  'a space more in front': ` ${body}`,
  'a byte order mark': `\u{feff}${body}`,
  nothing: '',
  'no UTF-8': Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
  'the same in UTF-16': Buffer.from(body, 'utf16le'),
  'twice the same': body + body,
  'a form': `payload=${encodeURIComponent(body)}`,
  'very deep': '['.repeat(100_000),
  'only __proto__': '{"__proto__":{"admin":true}}',
  'constructor.prototype': '{"constructor":{"prototype":{"admin":true}}}',
};

const words: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no id': { 'x-github-delivery': '' },
  'an id with a space': { 'x-github-delivery': 'a b' },
  'an id that is a path': { 'x-github-delivery': '../../etc' },
  'an id that is too long': { 'x-github-delivery': 'x'.repeat(101) },
  'an id of another script': { 'x-github-delivery': 'd\u{e9}livery' },
  'an id with quotes': { 'x-github-delivery': "1' or '1'='1" },
  'no event': { 'x-github-event': '' },
  'an event in capitals': { 'x-github-event': 'PUSH' },
  'an event that is a path': { 'x-github-event': '../push' },
  'an event that is too long': { 'x-github-event': 'p'.repeat(101) },
};

/** Deliveries that are forged, changed, cut, or say not what they are. None may become a row. */
export const webhookRequests: readonly BadRequest[] = [
  ...Object.entries(signatures).map(([name, signature]) => delivery(name, 401, { signature })),
  ...[1, 8, 32, 63].map((length) =>
    delivery(`the first ${length} digits`, 401, { signature: right.slice(0, 'sha256='.length + length) }),
  ),
  ...[0, 31, 63].map((at) => {
    const digit = hex[at] === '0' ? '1' : '0';
    return delivery(`another digit at ${at}`, 401, {
      signature: `sha256=${hex.slice(0, at)}${digit}${hex.slice(at + 1)}`,
    });
  }),
  ...Object.entries(hostileBodies).map(([name, changed]) =>
    delivery(`the body: ${name}`, 401, { body: changed }),
  ),
  ...[0, 17, 40].map((at) => {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return delivery(`another bit in byte ${at}`, 401, { body: changed });
  }),
  ...Object.entries(words).map(([name, headers]) => delivery(name, 400, { headers })),
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => delivery(`by ${method}`, 421, { method })),
];
