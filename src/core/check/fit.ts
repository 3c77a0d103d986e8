/** GitHub refuses a summary or text of 65,536 bytes or more, and a title of more than 255 characters. */
export const largestMarkdown = 65_534;
export const longestTitle = 255;

/** How many bytes it takes on the wire. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** At most `most` UTF-16 units, cut between whole characters, with an ellipsis for what was cut. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, most - 1);
  // A high surrogate at the end has lost its other half.
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}

/**
 * As many of the rows as fit into `budget` bytes below the head, and a last line for those that do not.
 * Rows are never cut; newlines are added.
 */
export function fitRows(
  head: string,
  rows: readonly string[],
  budget: number,
  leftOut: (count: number) => string,
): string {
  const whole = [head, ...rows].join('\n');
  if (byteLength(whole) <= budget) return whole;
  const reserve = byteLength(leftOut(rows.length)) + 2;
  let used = byteLength(head) + reserve;
  let kept = 0;
  for (const row of rows) {
    used += byteLength(row) + 1;
    if (used > budget) break;
    kept++;
  }
  return [head, ...rows.slice(0, kept), '', leftOut(rows.length - kept)].join('\n');
}

/** The last `count` lines of a text, with the newline at its end where there is one. */
export function lastLines(text: string, count: number): string {
  const isClosed = text.endsWith('\n');
  const lines = (isClosed ? text.slice(0, -1) : text).split('\n').slice(-count);
  return lines.join('\n') + (isClosed ? '\n' : '');
}

/** The last lines that fit into `budget` bytes, and how many lines before them do not. A line too long is cut. */
export function fitTail(text: string, budget: number): { readonly text: string; readonly leftOut: number } {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const kept: string[] = [];
  let used = 0;
  for (const line of lines.toReversed()) {
    const short = cutText(line, 1000);
    used += byteLength(short) + 1;
    if (used > budget) break;
    kept.push(short);
  }
  return { text: kept.toReversed().join('\n'), leftOut: lines.length - kept.length };
}
