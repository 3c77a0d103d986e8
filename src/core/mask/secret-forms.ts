/** The shortest encoded form or line of a secret that is looked for: anything shorter would hide innocent text. */
const shortestForm = 6;

const alphabets = {
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
};

/**
 * Every spelling in which a secret is likely to turn up in a log: as it is, base64 at each alignment, hex,
 * URL, JSON, shell and HTML escapes; of the whole value and of each of its lines that has 6 characters.
 */
export function secretForms(secret: string): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const value of secretParts(secret)) {
    forms.add(value);
    for (const encode of encoders) {
      for (const form of encode(value)) if (form.length >= shortestForm) forms.add(form);
    }
  }
  return forms;
}

/** The value without the line ends around it (a mask must not swallow those) and its longer lines. */
function secretParts(secret: string): ReadonlySet<string> {
  const whole = secret.replaceAll(/^[\r\n]+|[\r\n]+$/g, '') || secret;
  if (whole === '') return new Set();
  const lines = whole.split(/[\r\n]+/).flatMap((line) => [line, line.trim()]);
  return new Set([whole, ...lines.filter((line) => line.length >= shortestForm)]);
}

const encoders: readonly ((value: string) => readonly string[])[] = [
  base64Forms,
  hexForms,
  urlForms,
  jsonForms,
  shellForms,
  htmlForms,
];

function base64Forms(value: string): readonly string[] {
  const bytes = new TextEncoder().encode(value);
  return Object.values(alphabets).flatMap((alphabet) => {
    const forms = [0, 1, 2].map((alignment) => base64At(bytes, alignment, alphabet));
    // `base64` breaks its lines at 76 characters, PEM at 64.
    const wrapped = [76, 64].map((width) =>
      (forms[0]?.atEnd ?? '').replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\n'),
    );
    return [...forms.flatMap(({ within, atEnd }) => [within, atEnd, atEnd.replace(/=+$/, '')]), ...wrapped];
  });
}

/**
 * The characters that base64 gives these bytes when `alignment` bytes (modulo 3) stand before them: `within`
 * depends on no neighbour, `atEnd` adds the last character and the padding for when nothing follows.
 */
function base64At(bytes: Uint8Array, alignment: number, alphabet: string): { within: string; atEnd: string } {
  const bit = (index: number): number => ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
  // The first bit whose six belong to these bytes alone.
  let at = (6 - ((alignment * 8) % 6)) % 6;
  const characterAt = (from: number): string => {
    let six = 0;
    for (let index = from; index < from + 6; index += 1) six = six * 2 + bit(index);
    return alphabet.charAt(six);
  };
  let within = '';
  for (; at + 6 <= bytes.length * 8; at += 6) within += characterAt(at);
  if (at === bytes.length * 8) return { within, atEnd: within };
  const padding = '='.repeat((3 - ((alignment + bytes.length) % 3)) % 3);
  return { within, atEnd: within + characterAt(at) + padding };
}

function hexForms(value: string): readonly string[] {
  const hex = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  return [hex, hex.toUpperCase()];
}

/** What the usual libraries leave as it is when they escape for a URL: RFC 3986, Python's quote, JavaScript's. */
const urlSafe = [/[\w.~-]/, /[\w.~/-]/, /[\w.~!*'()-]/, /[\w.*-]/];

function urlForms(value: string): readonly string[] {
  return urlSafe.flatMap((safe) => {
    const upper = escapeBytes(value, safe, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
    const lower = escapeBytes(value, safe, (byte) => `%${byte.toString(16).padStart(2, '0')}`);
    return [upper, lower, upper.replaceAll('%20', '+'), lower.replaceAll('%20', '+')];
  });
}

function escapeBytes(value: string, safe: RegExp, escape: (byte: number) => string): string {
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 128 && safe.test(character) ? character : escape(byte);
  }).join('');
}

function jsonForms(value: string): readonly string[] {
  const plain = jsonText(value);
  const ascii = plain.replaceAll(/[\u007f-\uffff]/g, unicodeEscape);
  const browserSafe = plain.replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape);
  const once = [plain, ascii, browserSafe, plain.replaceAll('/', '\\/'), ascii.replaceAll('/', '\\/')];
  // A log line in JSON often carries another piece of JSON as its text.
  return [...once, jsonText(plain), jsonText(ascii)];
}

function jsonText(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function shellForms(value: string): readonly string[] {
  // Inside '…' shells write a quote in two ways (`set -x` of dash and bash), inside "…" four characters are
  // escaped, printf %q escapes all; the last two are $'…' and Python's repr.
  const single = ["'\\''", `'"'"'`].map((quote) => value.replaceAll("'", quote));
  const double = value.replaceAll(/[\\"$`]/g, '\\$&');
  const bare = value.replaceAll(/[^\w@%+=:,./\u0080-\uffff-]/g, '\\$&');
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return [...single, double, bare, escaped, escaped.replaceAll("'", "\\'")];
}

/** `'` and `"` are written differently by nearly every library. */
const htmlQuotes: readonly (readonly [double: string, single: string])[] = [
  ['"', "'"],
  ['&quot;', "'"],
  ['&quot;', '&#39;'],
  ['&quot;', '&#x27;'],
  ['&quot;', '&#039;'],
  ['&quot;', '&apos;'],
  ['&#34;', '&#39;'],
];

function htmlForms(value: string): readonly string[] {
  const angled = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return htmlQuotes.map(([double, single]) => angled.replaceAll('"', double).replaceAll("'", single));
}
