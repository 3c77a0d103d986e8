/**
 * Text of users and of their programs on its way into Markdown and onto terminals. A name, a message or a log
 * line must stay text there: no control sequence, no turned writing direction, no markup, no mention.
 */

// Controls but tab and newline, separators of lines, what turns the writing direction, and what takes no room and
// so hides or forges. Joiners and variation selectors stay: emoji are made with them.
const unsafe =
  /(?!\t|\n|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/gu;

/** The same text with every character shown that would act instead of being read. Tabs and newlines stay. */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replaceAll(unsafe, (character) => {
      const code = (character.codePointAt(0) ?? 0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
    });
}

/** One line for a terminal or a plain-text field. */
export function plainLine(text: string): string {
  return visibleText(text).replaceAll(/\s+/gu, ' ').trim();
}

const entities = /[\\`*_{}[\]()#+\-.!|~<>&$=^:@]/gu;

function asEntity(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

/** A name or value of the user's as inline code; safe in a table cell. Hosts look for no mentions in it. */
export function markdownCode(text: string): string {
  return inCode(plainLine(text));
}

function inCode(line: string): string {
  return `<code>${line.replaceAll(entities, asEntity)}</code>`;
}

// A host looks for these in the rendered text, where an entity no longer helps: a zero-width space parts them.
const reference = /@|#|(?<=\bgh)-(?=\d)|:(?=\/\/|[\w+-]+:)|(?<=\bwww)\./giu;

function markdownProse(text: string): string {
  // `$` starts a formula in the rendered text, and its own element keeps it from meeting another one.
  const parted = text.replaceAll(reference, (character) => `${character}\u200b`);
  return parted
    .replaceAll(entities, (character) => (character === '$' ? '<span>&#36;</span>' : asEntity(character)))
    .replaceAll('\u200b', '&#8203;');
}

/** A message on one line, safe in a table cell. What stands between backticks is shown as code. */
export function markdownLine(text: string): string {
  const parts = plainLine(text).split('`');
  // An odd backtick at the end has no partner and is text.
  const paired = parts.length % 2 === 1 ? parts.length : parts.length - 1;
  return parts
    .map((part, at) => {
      if (at >= paired) return markdownProse(`\`${part}`);
      return at % 2 === 0 ? markdownProse(part) : inCode(part);
    })
    .join('');
}

/** Lines of a log or file as a block of code, whatever they contain. */
export function markdownBlock(text: string, language = ''): string {
  const lines = visibleText(text);
  const longest = lines.match(/`+/gu)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0;
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${lines}${lines.endsWith('\n') ? '' : '\n'}${fence}`;
}
