import type { Report } from './report.ts';

const mostBytes = 256 * 1024;

/**
 * The file's text with line ends made `\n`, or `null` where it is too large or not UTF-8. Characters that YAML
 * does not allow are reported and replaced, so that the rest of the file is still read.
 */
export function readText(content: Uint8Array | string, report: Report): string | null {
  const bytes = typeof content === 'string' ? utf8Length(content) : content.byteLength;
  if (bytes > mostBytes) {
    report('file-too-large', { line: 1, column: 1, path: '' }, { bytes, most: mostBytes });
    return null;
  }
  const text = typeof content === 'string' ? wellFormed(content, report) : decode(content, report);
  if (text === null) return null;
  const lines = (text.startsWith('\u{feff}') ? text.slice(1) : text).replaceAll('\r\n', '\n');
  return withoutStrangeSpaces(withoutControls(lines, report), report);
}

function utf8Length(text: string): number {
  // Every UTF-16 unit takes at least one byte, so a long string need not be encoded to be refused.
  return text.length > mostBytes ? text.length : new TextEncoder().encode(text).byteLength;
}

function wellFormed(text: string, report: Report): string | null {
  if (text.isWellFormed()) return text;
  report('not-utf8', placeAt(text, text.search(/\p{Surrogate}/u)), {
    what: 'half of a surrogate pair stands here',
    save: 'Delete this character and type it again.',
  });
  return null;
}

function decode(bytes: Uint8Array, report: Report): string | null {
  const valid = validPrefix(bytes);
  // `ignoreBOM` keeps the mark: it is taken off once, above, for strings and bytes alike.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, valid));
  if (valid === bytes.byteLength) return text;
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const byte = (bytes[valid] ?? 0).toString(16).padStart(2, '0');
  report('not-utf8', placeAt(text.replace(/^\u{feff}/u, ''), text.length), {
    what: isWide ? 'it is UTF-16' : `the byte 0x${byte} stands here and belongs to no character`,
    save: 'Save the file as UTF-8; editors offer it as the encoding when saving.',
  });
  return null;
}

/** How many bytes from the start are UTF-8: a prefix that ends inside a character still counts, so halving finds the place. */
function validPrefix(bytes: Uint8Array): number {
  if (isUtf8(bytes, false)) return bytes.byteLength;
  let good = 0;
  let bad = bytes.byteLength + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (middle <= bytes.byteLength && isUtf8(bytes.subarray(0, middle), true)) good = middle;
    else bad = middle;
  }
  // Step back over the beginning of a character whose rest is missing or wrong: three bytes at most.
  while (good > 0 && !isUtf8(bytes.subarray(0, good), false)) good -= 1;
  return good;
}

function isUtf8(bytes: Uint8Array, isOpen: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isOpen });
    return true;
  } catch {
    // A fatal decoder has no other way to say no.
    return false;
  }
}

// The complement of what YAML 1.2 calls printable; surrogates are already gone, line feeds and tabs stay.
// oxlint-disable-next-line no-control-regex -- finding them is the purpose
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/gu;

function withoutControls(text: string, report: Report): string {
  const at = text.search(controls);
  if (at === -1) return text;
  const count = text.match(controls)?.length ?? 0;
  report('control-character', placeAt(text, at), { character: codePoint(text, at), more: count - 1 });
  return text.replaceAll(controls, '\u{fffd}');
}

// Spaces only to the eye, where they would be read as part of a key: before a line's text and after a colon.
const strange = /[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/u;
const strangeRun = new RegExp(`${strange.source}+`, 'gu');
const indentation = new RegExp(`^(?:[ \\t]|${strange.source})+`, 'u');
const afterColon = new RegExp(`:${strange.source}+`, 'gu');

function withoutStrangeSpaces(text: string, report: Report): string {
  if (!strange.test(text)) return text;
  // Line by line, because a search that looks back to the start of its line takes quadratic time.
  const lines = text.split('\n').map((line, index) => {
    const place = (column: number): { line: number; column: number; path: string } => ({
      line: index + 1,
      column: column + 1,
      path: '',
    });
    const spaced = (spaces: string, at: number): string => {
      report('strange-space', place(at), { character: codePoint(spaces, 0) });
      return ' '.repeat(spaces.length);
    };
    const start = indentation.exec(line)?.[0] ?? '';
    const indented = start.replaceAll(strangeRun, spaced);
    const rest = line
      .slice(start.length)
      .replaceAll(afterColon, (found, at: number) => `:${spaced(found.slice(1), start.length + at + 1)}`);
    return indented + rest;
  });
  return lines.join('\n');
}

function codePoint(text: string, at: number): string {
  return `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Line and column of an offset, both from 1; columns count UTF-16 units as editors and GitHub do. */
function placeAt(text: string, offset: number): { line: number; column: number; path: string } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1, path: '' };
}
