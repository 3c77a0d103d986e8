const longestLine = 16 * 2 ** 20;

/** The JSON values of a stream that has one a line. Throws where it ends in the middle of one, or one is none. */
export async function* jsonLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of bytes) {
    const lines = decoder.decode(part, { stream: true }).split('\n');
    lines[0] = rest + (lines[0] ?? '');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new Error(`an event is longer than ${longestLine} characters`);
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as unknown;
  }
  if (rest.trim() !== '') throw new Error('the stream ended in the middle of an event');
}
