import { plainLine, visibleText } from '../core/escape.ts';
import type { AttemptShape } from '../server/api/shapes.ts';

/** What pods said themselves where no report says how their command ended: a heading for each container, and its lines. */
export function lastWordLines(
  attempts: readonly Pick<AttemptShape, 'task' | 'number' | 'lastWords'>[],
): readonly string[] {
  return attempts.flatMap(({ task, number, lastWords }) =>
    lastWords.flatMap(({ container, text }) => [
      '',
      `The last words of ${plainLine(task)}${number > 1 ? ` (try ${number})` : ''}, container ${container} of its pod:`,
      ...visibleText(text)
        .split('\n')
        .map((line) => `  ${line}`),
    ]),
  );
}
