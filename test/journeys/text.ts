/** A text without the indentation that all its lines share, so that files stand in a test as they look. */
export function text(strings: TemplateStringsArray, ...values: readonly string[]): string {
  const whole = String.raw({ raw: strings }, ...values).replace(/^\n/, '');
  const lines = whole.split('\n');
  const margins = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const margin = Math.min(...margins);
  return (
    lines
      .map((line) => line.slice(margin))
      .join('\n')
      .trimEnd() + '\n'
  );
}
