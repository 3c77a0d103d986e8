import { isUtf8 } from 'node:buffer';

/*
 * Inside AME a path is its bytes, one char a byte (latin1). For people, globs and rows it is text: UTF-8 as it
 * stands, and `\xNN` for each byte that is none. A name that already spells such an escape gets its backslash
 * escaped, so that two paths never share a text.
 */

/** The text of a path's bytes. */
export function pathText(path: string): string {
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? escapeEscapes(bytes.toString('utf8')) : decodePieces(bytes);
}

function decodePieces(bytes: Buffer): string {
  let text = '';
  let good = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += escapeEscapes(bytes.toString('utf8', good, at));
    text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
    at += 1;
    good = at;
  }
  return text + escapeEscapes(bytes.toString('utf8', good));
}

/** Bytes of the character that begins here; 0 where none does. */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function escapeEscapes(text: string): string {
  return text.replaceAll(/\\(?=x[0-9a-f]{2})/g, '\\x5c');
}
