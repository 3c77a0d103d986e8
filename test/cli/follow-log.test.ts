import { expect, test } from 'vitest';
import { RefusalFault } from '../../src/cli/fault.ts';
import { followLog, type LogPart } from '../../src/cli/follow-log.ts';

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const line = (offset: number, text: string): string => {
  const bytes = Buffer.from(text);
  const lines = [[1, 0, bytes.length]];
  return event('log', { offset, bytes: bytes.toString('base64'), lines, skipped: 0 });
};

/** Answers each request with the next of these. */
function serverOf(answers: readonly (string | RefusalFault)[]) {
  const asked: string[] = [];
  const fetch = async (path: string): Promise<Response> => {
    const answer = answers[asked.length];
    asked.push(path);
    if (answer === undefined) throw new Error('nothing more was expected');
    if (answer instanceof RefusalFault) throw answer;
    return new Response(answer);
  };
  return { fetch, asked };
}

async function textOf(parts: AsyncIterable<LogPart>): Promise<string> {
  let text = '';
  for await (const { bytes } of parts) text += Buffer.from(bytes).toString();
  return text;
}

test('a server that has no time for it now is asked again from the next byte', async () => {
  const busy = new RefusalFault(503, 'database-away', 'try again in a moment');
  const server = serverOf([line(0, 'one\n'), busy, line(4, 'two\n') + event('end', { bytes: 8 })]);
  expect(await textOf(followLog(server, 7))).toBe('one\ntwo\n');
  expect(server.asked).toEqual([0, 4, 4].map((offset) => `/api/v1/attempts/7/log/events?offset=${offset}`));
});

test('any other refusal is an end', async () => {
  const unknown = new RefusalFault(404, 'attempt-unknown', 'there is no such attempt');
  await expect(textOf(followLog(serverOf([unknown]), 7))).rejects.toBe(unknown);
});
