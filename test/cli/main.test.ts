import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { ame } from './fake-terminal.ts';

test.each([
  [['chekc'], "ame: unknown command 'chekc' (Did you mean check?) (ame --help)\n"],
  [['check', '--jsn'], "ame: unknown option '--jsn' (Did you mean --json?) (ame --help)\n"],
  [['logs'], "ame: missing required argument 'run' (ame --help)\n"],
  [['secret', 'set', 'NAME', 'value'], /^ame: too many arguments for 'set'.*\n$/],
  [
    ['runs', '--limit', '0'],
    /^ame: option '-n, --limit <count>' argument '0' is invalid. It must be a whole number from 1. .*\n$/,
  ],
  [['schedule', 'next', 'noon', '-n', '101'], /^ame: .*It must be a whole number from 1 to 100. .*\n$/],
  [['runs', '--state', 'done'], /^ame: .*Allowed choices are queued, running, .*\n$/],
  [['release', 'nothing', '1'], /^ame: .*Allowed choices are deliveries, .*\n$/],
])('%j is refused in one line', async (args, message) => {
  const { code, out, err } = await ame(args);
  expect([code, out]).toEqual([2, '']);
  if (typeof message === 'string') expect(err).toBe(message);
  else expect(err).toMatch(message);
  expect(err.trimEnd()).not.toContain('\n');
});

test.each([
  ['--help'],
  ['help'],
  ['start', '--help'],
  ['runs', 'show', '--help'],
  ['secret', 'set', '--help'],
])('%s explains', async (...args) => {
  const { code, out, err } = await ame(args);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('Usage: ame');
});

test('the help of start names what decides about it', async () => {
  const { out } = await ame(['start', '--help']);
  for (const word of ['PORT', 'AME_DATA', 'DATABASE_URL', 'Ctrl-C', '--no-sample'])
    expect(out).toContain(word);
});

test('the help says what the exit codes mean', async () => {
  expect((await ame(['--help'])).out).toContain('Exit codes: 0 good, 1 AME');
});

test('the version is that of the package', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  expect(await ame(['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' });
});

test.each([
  [
    'no server at all',
    {},
    /^ame: AME is not running \(data directory .*\)\. Start it with: npm start \(or: ame serve\)\n$/,
    1,
  ],
  [
    'an address that no server can have',
    { AME_URL: 'http://127.0.0.1:1', AME_TOKEN: 'x' },
    /^ame: AME does not answer at http:\/\/127\.0\.0\.1:1: bad port\n$/,
    1,
  ],
  [
    'no token for a server elsewhere',
    { AME_URL: 'http://ame.example' },
    /^ame: AME_TOKEN is not set: http:\/\/ame\.example asks for its token\.\n$/,
    2,
  ],
  ['an address that is none', { AME_URL: 'nowhere' }, /^ame: AME_URL must be an address .*\n$/, 2],
])('%s', async (_name, env, message, expected) => {
  const { code, out, err } = await ame(['runs'], { env });
  expect([code, out]).toEqual([expected, '']);
  expect(err).toMatch(message);
});

test('nobody at the address', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  server.close();
  await once(server, 'close');
  const url = `http://127.0.0.1:${port}`;
  const { code, err } = await ame(['runs'], { env: { AME_URL: url, AME_TOKEN: 'x' } });
  expect([code, err]).toEqual([
    1,
    `ame: AME does not answer at ${url}. Start it with: npm start (or: ame serve)\n`,
  ]);
});

test('what is wrong with the surroundings of the server is said all at once', async () => {
  const { code, err } = await ame(['serve'], { env: { PORT: 'http', AME_LOCAL_SLOTS: '-1' } });
  expect(code).toBe(2);
  expect(err).toMatch(
    /^ame: 2 environment variables are wrong:\n {2}PORT is 'http'.*\n {2}AME_LOCAL_SLOTS is '-1'.*\n$/,
  );
});

test('where an error comes from is shown to who asks for it', async () => {
  expect((await ame(['runs'])).err).not.toContain('    at ');
  expect((await ame(['runs'], { env: { AME_LOG_LEVEL: 'debug' } })).err).toContain('    at ');
});
