import { mostAnnotations, type Check, type CheckAnnotation } from '../core/check.ts';

/** What GitHub takes at most. Text is counted in bytes of UTF-8, the others in characters. */
const mostBytes = 65_535;
const longest = { name: 255, title: 255, annotationMessage: 16_000, label: 20, description: 40 } as const;
const mostActions = 3;

/**
 * A check as GitHub wants it, with these annotations and no others. Its times are left to GitHub. Throws RangeError for
 * more than 50 of them.
 */
export function checkBody(says: Check, annotations: readonly CheckAnnotation[]) {
  if (annotations.length > mostAnnotations)
    throw new RangeError(`${annotations.length} annotations are more than one request may carry`);
  return {
    name: checkName(says.name),
    external_id: says.externalId,
    ...(says.url === null ? {} : { details_url: says.url }),
    ...stateOf(says),
    output: {
      title: cut(says.title, longest.title),
      // GitHub wants a summary wherever there is an output.
      summary: fitBytes(says.summary || says.title, mostBytes),
      // Left out, GitHub keeps the text of before.
      text: fitBytes(says.text, mostBytes),
      annotations: annotations.map(annotationBody),
    },
    // Always there: left out, GitHub keeps the buttons of before.
    actions: (says.actions ?? []).slice(0, mostActions).map(({ label, description, identifier }) => ({
      label: cut(label, longest.label),
      description: cut(description, longest.description),
      identifier,
    })),
  };
}

/** The name under which a check is found again: GitHub counts its bytes. */
export function checkName(name: string): string {
  return fitBytes(name, longest.name);
}

/** A completed check has a conclusion, and no other has one. */
function stateOf({ status, conclusion }: Check) {
  if (status !== 'completed') return { status };
  return { status, conclusion: conclusion ?? ('neutral' as const) };
}

function annotationBody({ path, line, column, level, title, message }: CheckAnnotation) {
  return {
    path,
    start_line: line,
    end_line: line,
    // GitHub takes columns only where an annotation stays on one line.
    ...(column === null ? {} : { start_column: column, end_column: column }),
    annotation_level: level,
    ...(title === '' ? {} : { title: cut(title, longest.title) }),
    message: cut(message, longest.annotationMessage),
  };
}

/** The annotations in the order in which they are sent, as many as one request may carry at a time. */
export function chunkAnnotations(
  annotations: readonly CheckAnnotation[],
): readonly (readonly CheckAnnotation[])[] {
  const count = Math.ceil(annotations.length / mostAnnotations);
  return Array.from({ length: count }, (_, at) =>
    annotations.slice(at * mostAnnotations, (at + 1) * mostAnnotations),
  );
}

/** As many whole characters as fit into `most` bytes, with an ellipsis for what was cut. Halves of pairs are replaced. */
export function fitBytes(text: string, most: number): string {
  const bytes = Buffer.from(text.toWellFormed(), 'utf8');
  if (bytes.length <= most) return text.toWellFormed();
  let end = most - Buffer.byteLength('…');
  // Bytes 10xxxxxx go on with the character before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

function cut(text: string, most: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  const head = whole.slice(0, most - 1);
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}
