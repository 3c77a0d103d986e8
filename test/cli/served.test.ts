import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneAddress } from '../../src/main.ts';
import { git } from '../git/real-git.ts';
import { serve, type Served } from './served.ts';

const good = `projectname: good
on: push
tasks:
  main:
    pipeline:
      first: printf '\\033[31mone\\033[0m\\n'; echo two >&2; printf three; mkdir out; echo 1 > out/kept; echo a > same
      second: cat same; echo b > same
  long: echo begun; sleep 600
`;
const bad = `projectname: bad
on: push
tasks:
  main:
    pipeline:
      fine: echo fine
      broken: echo before; exit 7
      after: echo never
`;

let served: Served;
let clone: string;
let commit: string;
let badClone: string;
let remote: string;

beforeAll(async () => {
  served = await serve();
  ({ clone, commit, remote } = await served.push('good', { 'ame.yaml': good }));
  ({ clone: badClone } = await served.push('bad', { 'ame.yaml': bad }));
  for (const name of ['good#1', 'bad#1']) await served.ame(['logs', name, '--follow']);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
});

test('a run is found by its name, by its number in a clone, and by its page', async () => {
  for (const [name, cwd] of [
    ['good#1', undefined],
    ['1', clone],
    ['#1', clone],
  ] as const) {
    const { code, out } = await served.ame(['runs', 'show', name], cwd === undefined ? {} : { cwd });
    expect(code).toBe(0);
    expect(out).toMatch(/^good#1 succeeded\n/);
  }
  expect((await served.ame(['runs', 'show', '1'], { cwd: badClone })).out).toMatch(/^bad#1 failed/);
  const page = / (http:\S+\/runs\/\d+)/.exec(remote)?.[1] ?? '';
  expect((await served.ame(['runs', 'show', page])).out).toMatch(/^good#1 succeeded\n/);
});

test('a number that may mean several is refused with the candidates', async () => {
  const { code, out, err } = await served.ame(['runs', 'show', '1']);
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe('ame: "1" may mean good#1, bad#1. Write which one.\n');
});

test.each([
  ['good#99', 'ame: There is no run good#99. ame runs lists those that there are.\n'],
  [
    'nothing',
    'ame: "nothing" names no run. Write <project>#<number>, such as weather#3; ame runs lists them.\n',
  ],
])('%s is no run', async (name, err) => {
  expect(await served.ame(['logs', name])).toEqual({ code: 2, out: '', err });
});

test('runs are listed for people and for programs', async () => {
  const { out } = await served.ame(['runs']);
  const lines = out.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^RUN +STATE +TASK +REF +COMMIT +BY +MADE +TOOK +WHY$/);
  expect(out).toMatch(
    /^bad#1 +failed +main +main +[0-9a-f]{8} +push .* ago .*broken: The command ended with exit code 7\.$/m,
  );
  const listed = JSON.parse(
    (await served.ame(['runs', '--json', '--project', 'good', '--commit', commit])).out,
  ) as unknown[];
  expect(listed).toHaveLength(1);
  expect(listed[0]).toMatchObject({
    number: 1,
    project: 'good',
    task: 'main',
    commit,
    ref: 'refs/heads/main',
    trigger: 'push',
    state: 'succeeded',
    class: 'succeeded',
    url: expect.stringMatching(/^http:.*\/runs\/\d+$/) as unknown,
  });
  expect((await served.ame(['runs', '--limit', '1', '--json'])).out).toContain('"bad"');
  expect((await served.ame(['runs', '--state', 'cancelled'])).out).toBe('No runs.\n');
  const short = ['runs', '--json', '--commit', commit.slice(0, 10)];
  expect(JSON.parse((await served.ame(short, { cwd: clone })).out)).toHaveLength(1);
});

test('one run is shown with its tasks', async () => {
  const { out } = await served.ame(['runs', 'show', 'bad#1']);
  expect(out).toMatch(/^broken +failed +1 .* 7 .*The command ended with exit code 7\.$/m);
  expect(out).toMatch(/^after +skipped/m);
  expect(out).toMatch(/\/runs\/\d+\?token=ame_/);
  const { attempts } = JSON.parse((await served.ame(['runs', 'show', 'bad#1', '--json'])).out) as {
    attempts: unknown[];
  };
  expect(attempts).toHaveLength(3);
});

test('a log is raw for programs and safe on a terminal', async () => {
  const raw = await served.ame(['logs', 'good#1', 'first']);
  expect(raw.out.replace('two\n', '')).toBe('\u001b[31mone\u001b[0m\nthree');
  const { out } = await served.ame(['logs', 'good#1', 'first'], { tty: true });
  expect(out.split('\n').sort()).toEqual(['', 'one', 'three', 'two']);
  expect((await served.ame(['logs', 'good#1'])).out).toMatch(/^first {2}\| one$[^]*^second \| a$/m);
  expect(await served.ame(['logs', 'good#1', 'third'])).toMatchObject({
    code: 2,
    err: 'ame: The run has no task "third". It has first, second.\n',
  });
  expect((await served.ame(['logs', 'good#1', 'first', '--attempt', '2'])).code).toBe(2);
});

test('artifacts are listed, and got as if all tasks had run in one folder', async () => {
  const { out } = await served.ame(['artifacts', 'good#1']);
  expect(out).toMatch(/^first +2 B +[0-9a-f]{12} +out\/kept$/m);
  const into = join(served.folder, 'got');
  const got = await served.ame(['artifacts', 'good#1', '--get', 'got']);
  expect(got.err).toMatch(
    /2 files, 4 B, in .*got\n1 older version left by earlier tasks: --task <task> gets those\.\n$/,
  );
  expect(await readFile(join(into, 'out/kept'), 'utf8')).toBe('1\n');
  expect(await readFile(join(into, 'same'), 'utf8')).toBe('b\n');
  await served.ame(['artifacts', 'good#1', '--task', 'first', '--get', into]);
  expect(await readFile(join(into, 'same'), 'utf8')).toBe('a\n');
  expect((await readdir(into)).sort()).toEqual(['out', 'same']);
  expect(JSON.parse((await served.ame(['artifacts', 'good#1', '--json'])).out)).toHaveLength(3);
});

test('run follows to the verdict, and its exit code is that of the run', async () => {
  const { code, out, err } = await served.ame(['run', 'main'], { cwd: clone });
  expect(code).toBe(0);
  expect(err).toMatch(/^good#\d+: main at [0-9a-f]{12} on main\n$/);
  expect(out).toMatch(
    /^first {4}running\n(?:first {2}\| .*\n)+first {4}succeeded after .*\nsecond {3}running\n/,
  );
  expect(out).toMatch(/\ngood#\d+ succeeded after .* s\nhttp:.*\n$/);
  const failed = await served.ame(['run', '--project', 'bad']);
  expect(failed.code).toBe(3);
  expect(failed.out).toMatch(/^broken {3}failed after .*: The command ended with exit code 7\.$/m);
  expect(failed.out).toMatch(/^after {4}skipped: `broken` failed\.$/m);
});

test('retry takes over what succeeded and tries the rest again', async () => {
  const { code, out, err } = await served.ame(['retry', 'bad#1']);
  expect(code).toBe(3);
  expect(err).toMatch(/^bad#\d+ tries again what did not succeed in bad#1\.\n$/);
  expect(out).toMatch(/^fine {5}taken over from an earlier run$/m);
  expect(out).toMatch(/^broken \| before$/m);
  expect(await served.ame(['retry', 'good#1'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/nothing to try again/) as unknown,
  });
});

test('json of a followed run is the run alone', async () => {
  const { code, out } = await served.ame(['run', '--project', 'bad', '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(out)).toMatchObject({ project: 'bad', state: 'failed' });
});

test('a run goes on when its follower leaves, and ends when it is cancelled', async () => {
  const following = served.start(['run', 'long'], { cwd: clone });
  await following.shows('| begun');
  following.press();
  const left = await following.ended;
  const name = /(good#\d+) goes on/.exec(left.err)?.[1] ?? '';
  expect([left.code, name]).toEqual([130, expect.stringMatching(/^good#/)]);
  const again = served.start(['logs', name, 'long', '--follow']);
  await again.shows('| begun');
  expect(await served.ame(['cancel', name])).toEqual({ code: 0, out: `${name} is asked to end.\n`, err: '' });
  expect(await again.ended).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^long {3}cancelled/m) as unknown,
  });
  expect((await served.ame(['runs', 'show', name])).out).toMatch(/^good#\d+ cancelled/);
  expect(await served.ame(['cancel', name])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/has ended already/) as unknown,
  });
});

test('run without waiting', async () => {
  const { code, out } = await served.ame(['run', 'main', '--no-follow', '--json', '--ref', commit], {
    cwd: clone,
  });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    commit,
    trigger: 'request',
    state: expect.stringMatching(/queued|running|succeeded/) as unknown,
  });
});

test.each([
  [
    ['run', 'nobody', '--project', 'good'],
    'ame: There is no task `nobody` in the file. It has `main` and `long`.\n',
  ],
  [['run', '--project', 'nobody'], /^ame: there is no project "nobody"; there is .*\n$/],
  [
    ['run', '--project', 'good', '--ref', 'nowhere'],
    /^ame: the host has no branch, tag or commit "nowhere"; push it first\n$/,
  ],
  [['run'], 'ame: Which project? There is no valid ame.yaml here that says it: add --project <name>.\n'],
  [['secret', 'list', '--project', 'a/b$&?'], /^ame: there is no project "a\/b\$&\?".*\n$/],
  [['secret', 'list', '--project', 'nobody'], /^ame: there is no project "nobody".*\n$/],
  [['why', 'nobody'], 'ame: "nobody" is no run, no delivery, and no commit of a clone that we are in.\n'],
  [['release', 'runs', '1'], 'ame: no row 1 of runs is parked\n'],
])('%j is refused', async (args, message) => {
  const { code, out, err } = await served.ame(args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});

test('why: of a run, a commit and a delivery', async () => {
  const rule = /push runs main: `push` in line 2 lets it run\. \(rule push, line 2 of ame\.yaml\)/;
  expect((await served.ame(['why', 'good#1'])).out).toMatch(rule);
  for (const [what, cwd] of [
    [commit, '/'],
    ['HEAD', clone],
    [commit.slice(0, 9), clone],
  ] as const) {
    const { code, out } = await served.ame(['why', what], { cwd });
    expect(code).toBe(0);
    expect(out).toMatch(/^ame\.yaml: success: Runs main\n/);
    expect(out).toMatch(rule);
  }
  const { deliveries } = JSON.parse((await served.ame(['why', '--json'])).out) as {
    deliveries: { id: string; after: string }[];
  };
  const id = deliveries.find(({ after }) => after === commit)?.id ?? '';
  expect((await served.ame(['why', id])).out).toMatch(rule);
  expect((await served.ame(['why'])).out).toMatch(/^DELIVERY +EVENT +REF +COMMIT +CAME +OUTCOME\n/);
});

test('why: what runs nothing gets the line that would change that', async () => {
  const { commit } = await served.push('quiet', {
    'ame.yaml': 'projectname: quiet\non: pull_request\ntasks:\n  main: echo x\n',
  });
  const { out } = await served.ame(['why', commit]);
  expect(out).toMatch(
    /^ {2}push runs nothing: `on` in line 2 does not name `push`\. \(rule push-not-listed, line 2 of ame\.yaml\)\n {2}It would run with this in ame\.yaml:\n {4}on: \[push, pull_request\]$/m,
  );
});

test('why: a push that is not decided yet, of its commit and of the delivery', async () => {
  const { deliveries } = JSON.parse((await served.ame(['why', '--json'])).out) as {
    deliveries: { id: string; after: string }[];
  };
  const { id = '', after = '' } = deliveries.find((one) => one.after === commit) ?? {};
  const pool = served.server.context.db.pool;
  await pool.query(
    `update deliveries set decided_at = null, outcome = null, failures = 1, last_error = 'no luck',
      due_at = now() + interval '1 hour' where id = $1`,
    [id],
  );
  const undecided =
    /: not decided yet\n {2}received [\d.]+ \w+.* ago, failed 1 time: no luck\n {2}next try in (?:1 h|59 min.*)\n/;
  for (const what of [after, id]) expect((await served.ame(['why', what])).out).toMatch(undecided);
  expect((await served.ame(['why'])).out).toContain('not decided yet, failed 1 time\n');
  await pool.query(
    `update deliveries set decided_at = now(), outcome = 'decided', failures = 0, last_error = null,
      due_at = null where id = $1`,
    [id],
  );
  expect((await served.ame(['why', after])).out).not.toContain('not decided yet');
});

test('a parked row is shown, and released by hand', async () => {
  const { deliveries } = JSON.parse((await served.ame(['why', '--json'])).out) as {
    deliveries: { id: string }[];
  };
  const id = deliveries.at(-1)?.id ?? '';
  const pool = served.server.context.db.pool;
  await pool.query(
    `update deliveries set decided_at = null, outcome = null, failures = 20, last_error = 'no luck',
      due_at = now() + interval '1 hour' where id = $1`,
    [id],
  );
  const { out } = await served.ame(['why']);
  expect(out).toContain(
    `parked: row ${id} of deliveries after 20 failures: no luck\n  Once its cause is repaired: ame release deliveries ${id}\n`,
  );
  expect(await served.ame(['release', 'deliveries', id])).toEqual({
    code: 0,
    out: `Row ${id} of deliveries is tried again.\n`,
    err: '',
  });
  expect((await served.ame(['why'])).out).not.toContain('parked');
});

test('secrets come from stdin, and their values are never shown', async () => {
  const asked = { cwd: clone };
  expect(await served.ame(['secret', 'set', 'token'], { ...asked, stdin: 'hunter22 \n' })).toMatchObject({
    code: 0,
    err: '',
  });
  const listed = await served.ame(['secret', 'list'], asked);
  expect(listed.out).toMatch(/^SECRET {2}SET\ntoken {3}\d+ s ago\n$/);
  expect(listed.out + listed.err).not.toContain('hunter22');
  await served.push('good', {
    'ame.yaml': `${good}  say:\n    runcommand: printf %s "$TOKEN" | wc -c\n    secrets: {TOKEN: token}\n`,
  });
  expect((await served.ame(['run', 'say'], asked)).out).toMatch(/^say \| +9$/m);
  expect((await served.ame(['secret', 'delete', 'token'], asked)).code).toBe(0);
  expect((await served.ame(['secret', 'list'], asked)).out).toBe('No secrets.\n');
  expect(await served.ame(['secret', 'set', 'short'], { ...asked, stdin: 'abc' })).toMatchObject({
    code: 2,
    err: expect.stringMatching(/at least 6 characters/) as unknown,
  });
  expect((await served.ame(['secret', 'delete', 'token'], asked)).code).toBe(2);
});

test('on a terminal a secret is typed unseen', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const typing = served.start(['secret', 'set', 'typed'], { cwd: clone, stdin });
  await typing.shows('not shown');
  stdin.write('s3cret-value\r');
  const { code, out, err } = await typing.ended;
  expect(code).toBe(0);
  expect(out + err).not.toContain('s3cret');
  const leaving = Object.assign(new PassThrough(), { isTTY: true });
  const left = served.start(['secret', 'set', 'typed'], { cwd: clone, stdin: leaving });
  await left.shows('not shown');
  leaving.write('\u0003');
  expect(await left.ended).toMatchObject({ code: 2, out: '' });
});

test('init writes four lines and the remote, and never twice', async () => {
  const folder = join(served.folder, 'Wetter & Co');
  await git(served.folder, 'init', '--quiet', '--initial-branch=main', folder);
  await writeFile(join(folder, 'train.py'), 'print("trained")\n');
  const { code, out } = await served.ame(['init'], { cwd: folder });
  expect(code).toBe(0);
  expect(await readFile(join(folder, 'ame.yaml'), 'utf8')).toBe(
    'projectname: Wetter-Co\non: push\ntasks:\n  main: python train.py\n',
  );
  const address = await git(folder, 'remote', 'get-url', 'ame');
  expect(address).toMatch(
    new RegExp(`^http://ame:${served.server.token}@127\\.0\\.0\\.1:\\d+/git/[\\w.-]+/Wetter-Co\\.git$`),
  );
  expect(out).not.toContain(served.server.token);
  expect(out).toContain('git push ame HEAD');
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '-m', 'first');
  await git(folder, 'push', '--quiet', 'ame', 'HEAD');
  expect((await served.ame(['logs', '1', '--follow'], { cwd: folder })).out).toMatch(/^main \| trained$/m);
  const again = await served.ame(['init'], { cwd: folder });
  expect([again.code, again.err]).toEqual([
    2,
    'ame: There is an ame.yaml already, and it stays as it is. ame init --remote adds the remote alone.\n',
  ]);
  await git(folder, 'remote', 'remove', 'ame');
  expect((await served.ame(['init', '--remote'], { cwd: folder })).code).toBe(0);
  expect(await git(folder, 'remote', 'get-url', 'ame')).toBe(address);
});

test('a token that is not right is named', async () => {
  const { code, err } = await served.ame(['runs'], { env: { AME_TOKEN: 'ame_wrong' } });
  expect(code).toBe(2);
  expect(err).toMatch(/^ame: the token for http:.* is not right: set AME_TOKEN .*\n$/);
  const env = { AME_DATA: '/nonexistent', AME_URL: served.server.address, AME_TOKEN: served.server.token };
  expect((await served.ame(['runs'], { env })).code).toBe(0);
});

test('two repositories with a project of the same name are told apart by the clone', async () => {
  const twin = await served.push('twin', { 'ame.yaml': good });
  await served.ame(['logs', '1', '--follow'], { cwd: twin.clone });
  const { code, err } = await served.ame(['runs', 'show', 'good#1']);
  expect(code).toBe(2);
  expect(err).toMatch(/"good#1" may mean good#1 of local\/good \(http:.*\), good#1 of local\/twin \(http:/);
  await git(twin.clone, 'remote', 'add', 'ame', cloneAddress(served.server, 'local', 'twin'));
  expect((await served.ame(['runs', 'show', 'good#1'], { cwd: twin.clone })).out).toContain('of local/twin');
});
