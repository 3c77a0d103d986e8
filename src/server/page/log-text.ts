import { visibleText } from '../../core/escape.ts';

/** A longer line is cut on the page; the log itself keeps it. Characters. */
export const longestLine = 16 * 1024;

/** Escape sequences: colours, movements, titles. Each alternative ends at the next escape, so matching is linear. */
export const escapeSequences =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]/g;

/**
 * One line of a program's output as the page shows it: without escape sequences, of a progress bar that draws its
 * line again and again what it drew last, and with everything visible that would turn or hide text. The browser
 * has the same function for lines that arrive later (`browser-text.ts`).
 */
export function logText(line: string): string {
  const plain = line.replaceAll(escapeSequences, '');
  let end = plain.length;
  while (end > 0 && (plain[end - 1] === '\r' || plain[end - 1] === '\n')) end -= 1;
  // At -1 where the last return is the one at the end.
  const from = end === 0 ? 0 : plain.lastIndexOf('\r', end - 1) + 1;
  return visibleText(plain.slice(from, Math.min(end, from + longestLine)));
}

/** Since the command began, as `0:07` or `1:02:03`. */
export function elapsed(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1_000));
  const two = (number: number): string => String(number).padStart(2, '0');
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
