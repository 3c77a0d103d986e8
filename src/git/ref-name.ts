/**
 * Whether git accepts the text as a full name of a ref, by the rules of `git check-ref-format`. Much of what
 * looks hostile is legal (`refs/heads/--upload-pack=x`, `refs/heads/$(id)`): a name is data, always.
 */
export function isRefName(text: string): boolean {
  if (text.length > 1000 || !text.startsWith('refs/')) return false;
  // oxlint-disable-next-line no-control-regex -- git forbids the control characters by name
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/.test(text)) return false;
  return text.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
