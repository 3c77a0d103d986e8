import type { Place } from '../problems.ts';
import type { Reference } from '../project.ts';
import type { Entry, Node } from './node.ts';
import { readItems, readValue } from './read.ts';
import type { Report } from './report.ts';

/** Reports a name that breaks rule 6 (1 to 63 of `[a-zA-Z0-9._-]`, first a letter or digit). */
export function checkName(text: string, what: string, at: Place, report: Report): void {
  const why = nameFault(text);
  if (why !== null) report('bad-name', at, () => ({ what, text, why, suggestion: suggestName(text) }));
}

function nameFault(text: string): string | null {
  if (text === '') return 'it is empty';
  if (text.length > 63) return `it has ${text.length} characters, and 63 are the most`;
  const wrong = /[^a-zA-Z0-9._-]/u.exec(text)?.[0];
  if (wrong !== undefined) return wrong === ' ' ? 'it contains a space' : `it contains ${visible(wrong)}`;
  return /^[a-zA-Z0-9]/u.test(text) ? null : 'it does not begin with a letter or digit';
}

/** One character in quotes, or by its number where it cannot be seen or would act on what shows it. */
function visible(character: string): string {
  const quoted = JSON.stringify(character);
  if (!/[\p{C}\p{Z}]/u.test(quoted)) return quoted;
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function suggestName(text: string): string | null {
  if (text.length > 63) return null;
  const bare = text
    .slice(0, 200)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-zA-Z0-9._-]+/gu, '-')
    .replaceAll(/^[^a-zA-Z0-9]+|-+$/gu, '')
    .slice(0, 63);
  return bare === '' ? null : bare;
}

/**
 * A name of something that the file refers to. Its form is not checked, since only what exists can be found;
 * how YAML reads it does not matter, since names are compared as they are written.
 */
export function readReference(node: Node, what: string, report: Report): Reference | null {
  const text = readValue(node, { what, expected: 'the name of a task', write: 'Write one name.' }, report);
  return text === null ? null : { name: text.text, position: positionOf(text.at) };
}

/** One name or a list of them. */
export function readReferences(entry: Entry, report: Report): readonly Reference[] {
  return readItems(entry.value, `An item of \`${entry.key}\``, report).flatMap((item) => {
    const reference = readReference(item, `An item of \`${entry.key}\``, report);
    return reference === null ? [] : [reference];
  });
}

/** The part of a place that the project keeps. */
export function positionOf(at: Place): { readonly line: number; readonly column: number } {
  return { line: at.line, column: at.column };
}
