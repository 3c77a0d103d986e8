const longest = 48;

/**
 * Text of the file as it is shown in a message: one line, at most 48 characters, without characters
 * that are invisible or turn the writing direction, between backticks.
 */
export function shown(text: string): string {
  const short = shorten(text);
  if (short === '') return "`''`";
  return short.includes('`') ? `\`\` ${short} \`\`` : `\`${short}\``;
}

/** Like `shown`, without the backticks. */
export function shorten(text: string): string {
  // The cut comes first: a megabyte of text must not be searched for a message of one line.
  const head = text.slice(0, longest * 4);
  const line = head.trim().replaceAll(/\s+/gu, ' ').replaceAll(/\p{C}/gu, '\u{fffd}');
  // By code points: half of a pair is no character.
  const characters = Array.from(line);
  if (characters.length <= longest && text.length <= longest * 4) return line;
  return `${characters.slice(0, longest).join('')}…`;
}

/** `a`, `b` or `c`. */
export function either(choices: readonly string[]): string {
  return joined(choices.map(shown), 'or');
}

/** `a`, `b` and `c`; `most` bounds how many are named. */
export function all(names: readonly string[], most = 12): string {
  const named = names.slice(0, most).map(shown);
  if (names.length > most) named.push(`${names.length - most} more`);
  return joined(named, 'and');
}

function joined(parts: readonly string[], word: 'and' | 'or'): string {
  const last = parts.at(-1);
  if (last === undefined) return 'nothing';
  return parts.length === 1 ? last : `${parts.slice(0, -1).join(', ')} ${word} ${last}`;
}

/** A count with its noun, `1 line` or `3 lines`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text between quotes, so that YAML takes it as it stands. */
export function quoted(text: string): string {
  return /["\\]/u.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}
