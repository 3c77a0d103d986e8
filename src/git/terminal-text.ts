/**
 * One line of text that does nothing but show itself: control characters could move the cursor or hide
 * what was printed, and the marks that turn the direction of writing could make a name read as another.
 */
export function terminalText(text: string): string {
  return (
    text
      .slice(0, 2000)
      .replaceAll('\t', ' ')
      // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
      .replaceAll(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '')
      .trimEnd()
  );
}

/** The lines of a text, each of them safe to print. */
export function terminalLines(text: string): string[] {
  return text.split(/\r\n|[\r\n\u2028\u2029]/).map(terminalText);
}
