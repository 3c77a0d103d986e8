import { stripVTControlCharacters } from 'node:util';
import { visibleText } from '../core/escape.ts';

/**
 * One line of a program's output, safe on a terminal: without colours and cursor movements, and of a progress bar
 * that draws its line again and again what it drew last.
 */
export function logLine(text: string): string {
  const stripped = stripVTControlCharacters(text);
  // By hand: `/\r+$/` takes a time that grows with the square of a line of carriage returns.
  let end = stripped.length;
  while (end > 0 && stripped[end - 1] === '\r') end -= 1;
  const plain = stripped.slice(0, end);
  return visibleText(plain.slice(plain.lastIndexOf('\r') + 1));
}

const wide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text takes on a terminal, as far as can be told without asking it. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** Pads with spaces at the end, or at the beginning, to so many columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return side === 'left' ? text + space : space + text;
}
