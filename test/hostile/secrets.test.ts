import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createGithubAme } from '../journeys/github.ts';
import { createAme, type Ame } from '../journeys/harness.ts';
import { text } from '../journeys/text.ts';

const token = `s3cr et"tok'en<&>%+$x\`é`;
const name = 'plain-name-of-a-file.key';

/** Prints the secret in every spelling that its language has at hand, cut at every position, 200 times in all. */
const printing = text`
  import base64, html, json, os, shlex, sys, urllib.parse
  secret = os.environ["TOKEN"]
  raw = secret.encode()
  forms = [
      secret, json.dumps(secret), json.dumps({"key": secret}, ensure_ascii=False), json.dumps(json.dumps(secret)),
      base64.b64encode(raw).decode(), base64.b64encode(b"u" + raw).decode(), base64.b64encode(b"u:" + raw).decode(),
      base64.urlsafe_b64encode(raw).decode(), raw.hex(), raw.hex().upper(),
      urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret),
      urllib.parse.urlencode({"key": secret}), shlex.quote(secret), html.escape(secret), repr(secret),
  ]
  printed = 0
  while printed < 200:
      form = forms[printed % len(forms)]
      cut = 1 + printed * 7 % max(1, len(form.encode()) - 1)
      out = [sys.stdout, sys.stderr][printed // len(forms) % 2].buffer
      whole = form.encode()
      out.write(b"before " + whole[:cut]); out.flush()
      out.write(whole[cut:] + b" after\\n"); out.flush()
      printed += 1
  os.makedirs("made", exist_ok=True)
  for directory, ending in [("made", "txt"), ("made", "bin"), (".", "log")]:
      open(os.path.join(directory, os.environ["NAME"] + "." + ending), "w").write("content")
  os.makedirs(os.path.join("made", os.environ["NAME"]), exist_ok=True)
  open(os.path.join("made", os.environ["NAME"], "inner"), "w").write("content")
  print("printed", printed)
`;

/** Every row of every table as text; what is stored in bytes as the text that it is. */
async function rowsOf(ame: Ame): Promise<string> {
  const { orm } = ame.ctx.db;
  const { rows } = await orm.execute<{ name: string }>(
    sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  );
  const parts: string[] = [];
  for (const { name: table } of rows) {
    const found = await orm.execute(sql`select * from ${sql.identifier(table)}`);
    for (const row of found.rows)
      for (const value of Object.values(row))
        parts.push(
          Buffer.isBuffer(value)
            ? value.toString('utf8')
            : typeof value === 'string'
              ? value
              : JSON.stringify(value),
        );
  }
  return parts.join('\n');
}

/** The spellings that people would find, of the values themselves and not by the code under test. */
function formsOf(secret: string): readonly string[] {
  const raw = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    raw.toString('hex'),
    raw.toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    // Of each alignment of base64 the characters that depend on nothing beside it.
    ...[0, 1, 2].map((lead) =>
      Buffer.concat([Buffer.alloc(lead), raw])
        .toString('base64')
        .replaceAll('=', '')
        .slice(lead === 0 ? 0 : lead + 1, -1),
    ),
  ];
}

/** The spellings that stand in texts, by the place of each. */
function leaksIn(said: Readonly<Record<string, string>>): readonly string[] {
  const forms = [...formsOf(token), ...formsOf(name)];
  return Object.entries(said).flatMap(([place, all]) =>
    forms.filter((form) => all.includes(form)).map((form) => `${form} in ${place}`),
  );
}

test('two hundred times printed, in names of files and in what a command ends with, no secret is anywhere', async () => {
  const lines: string[] = [];
  await using ame = await createAme({ log: createLog('debug', { write: (line) => void lines.push(line) }) });
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': 'projectname: leaky\non: push\ntasks:\n  main: "true"\n' });
  await ame.settle();
  for (const [key, value] of Object.entries({ TOKEN: token, NAME: name })) {
    expect((await ame.api('PUT', `/projects/leaky/secrets/${key}`, { value })).status).toBe(200);
  }
  await repository.push({
    'print.py': printing,
    'ame.yaml': text`
      projectname: leaky
      on: push
      tasks:
        main:
          pipeline:
            print: {secrets: [TOKEN, NAME], runcommand: python3 -u print.py}
            exits: {if: always, secrets: [TOKEN], runcommand: 'python3 -c "import os, sys; sys.exit(os.environ[\\"TOKEN\\"])"'}
            raises: {if: always, secrets: [TOKEN], runcommand: 'python3 -c "import os; raise ValueError(os.environ[\\"TOKEN\\"])"'}
            command: {if: always, secrets: [NAME], runcommand: '"$NAME"'}
            refused: {if: always, secrets: [NAME], runcommand: 'mkfifo "pipe-$NAME"'}
    `,
  });
  await ame.settle();
  const run = await ame.read.run(repository);
  const log = await ame.read.log(run, 'print');
  expect(log).toContain('printed 200\n');
  expect(log.match(/^before .*after$/gm)).toHaveLength(200);
  expect(log.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(200);
  expect(await ame.read.log(run, 'raises')).toContain('ValueError: ***');
  const paths = (await ame.read.artifacts(run, 'print')).map(({ path }) => path);
  expect(paths.toSorted()).toEqual(['***.log', 'made/***.bin', 'made/***.txt', 'made/***/inner']);

  const { id } = run;
  const attempts = await ame.read.attempts(run);
  const asked = [
    '/runs',
    `/runs/${id}`,
    `/runs/${id}/artifacts`,
    `/runs/${id}/decisions`,
    `/commits/${run.commit}`,
    '/projects',
    '/projects/leaky/secrets',
    '/deliveries',
    ...attempts.flatMap((attempt) => [`/attempts/${attempt.id}/log`, `/attempts/${attempt.id}/log/events`]),
  ];
  const bearer = { headers: { authorization: `Bearer ${ame.ctx.token}`, accept: 'text/html, */*' } };
  const said: Record<string, string> = {
    rows: await rowsOf(ame),
    'the log of the server': lines.join('\n'),
    metrics: await (await fetch(`${ame.address}/metrics`, bearer)).text(),
    page: await (await fetch(`${ame.address}/runs/${id}`, bearer)).text(),
    commit: await (await fetch(`${ame.address}/commits/${run.commit}`, bearer)).text(),
  };
  for (const path of asked) said[path] = await (await fetch(`${ame.address}/api/v1${path}`, bearer)).text();
  // A follower decodes what it is sent.
  const followed = attempts
    .flatMap(({ id: attempt }) => [
      ...(said[`/attempts/${attempt}/log/events`] ?? '').matchAll(/"bytes":"([^"]*)"/g),
    ])
    .map(([, bytes = '']) => Buffer.from(bytes, 'base64').toString('utf8'))
    .join('');
  said['a follower'] = followed;
  expect(leaksIn(said)).toEqual([]);
  // What is looked for would be found: the words beside it are, also where the log is followed.
  expect(followed).toContain('ValueError: ***');
  expect(followed).toContain('printed 200');
  expect(Object.values(said).join('')).toContain('ValueError: ***');
  expect(said['rows']).toContain('made/***.txt');
  expect(said[`/runs/${id}/artifacts`]).toContain('made/***.txt');
});

test('what GitHub is told and keeps has no secret in it', async () => {
  await using world = await createGithubAme();
  const { ame, github, settle, hear } = world;
  const installation = await github.addInstallation({ account: 'acme' });
  const pets = await github.addRepository(installation, { owner: 'acme', name: 'pets' });
  await hear();
  await github.push(pets, { 'ame.yaml': 'projectname: leaky\non: push\ntasks:\n  main: "true"\n' });
  await settle();
  for (const [key, value] of Object.entries({ TOKEN: token, NAME: name }))
    expect((await ame.api('PUT', `/projects/leaky/secrets/${key}`, { value })).status).toBe(200);
  await github.push(pets, {
    'raise.py': text`
      import base64, json, os
      secret = os.environ["TOKEN"]
      open(os.environ["NAME"] + ".txt", "w").write("content")
      print(secret, json.dumps(secret), base64.b64encode(secret.encode()).decode(), secret.encode().hex())
      raise ValueError(secret + " " + base64.b64encode(b"u" + secret.encode()).decode())
    `,
    'ame.yaml': text`
      projectname: leaky
      on: push
      tasks:
        main:
          pipeline:
            raises: {secrets: [TOKEN, NAME], runcommand: python3 -u raise.py}
            exits: {if: always, secrets: [TOKEN], runcommand: 'python3 -c "import os, sys; sys.exit(os.environ[\\"TOKEN\\"])"'}
            command: {if: always, secrets: [NAME], runcommand: '"$NAME"'}
            refused: {if: always, secrets: [NAME], runcommand: 'mkfifo "pipe-$NAME"'}
    `,
  });
  await settle();
  const checks = github.checkRuns(pets);
  const said = {
    checks: JSON.stringify(checks.map((check) => ({ ...check, repository: null }))),
    // As text that people read, without JSON's own escapes between its words.
    texts: checks.flatMap(({ title, summary, text: body }) => [title, summary, body]).join('\n'),
    requests: JSON.stringify(github.requests),
  };
  expect(leaksIn(said)).toEqual([]);
  // The check shows how it ended, and the words beside the secret.
  expect(said.texts).toContain('ValueError');
  expect(said.texts).toMatch(/(\\?\*){3}|&#42;&#42;&#42;/);
});
