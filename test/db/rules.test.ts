import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import {
  another,
  attempt,
  insert,
  open,
  sampleRows,
  settled,
  times,
  update,
  verdict,
  type Table,
} from './rows.ts';

const { at, later } = times;
let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  // Every database has its row from the beginning.
  await client.query('delete from identity');
  for (const table of Object.keys(sampleRows)) await client.query(insert(table as Table));
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Each rule that has a name in the database, and statements of which the last one breaks that rule alone. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  github_apps_app_id: [insert('github_apps', { id: 2 })],
  github_apps_id: [update('github_apps', { app_id: `'seven'` })],
  github_apps_secrets_whole: [update('github_apps', { webhook_secret: 'null' })],
  github_apps_key_named: [update('github_apps', { key_id: 'null' })],
  installations_host_id: [insert('installations', { id: 2 })],
  installations_account_type: [update('installations', { account_type: `'Bot'` })],
  installations_due_until_removed: [update('installations', { removed_at: at })],
  repositories_access: [update('repositories', { access: `'lost'` })],
  repositories_host: [insert('repositories', { id: 2, host: `'gitlab'`, host_id: `'2'`, name: `'ham'` })],
  repositories_installation: [insert('repositories', { id: 2, host: `'github'`, host_id: `'2'` })],
  repositories_host_id: [insert('repositories', { id: 2, name: `'ham'` })],
  repositories_local_name: [
    insert('repositories', { id: 2, host_id: `'2'`, owner: `'ADA'`, name: `'Spam'` }),
  ],
  projects_place: [insert('projects', { id: 2, name: `'ham'` })],
  revisions_commit: [insert('revisions', { id: 2 })],
  revisions_read_or_wrong: [insert('revisions', { id: 2, commit: `'b'`, project: 'null' })],
  schedules_name: [insert('schedules', { id: 2 })],
  schedules_catchup: [update('schedules', { catchup: `'some'` })],
  schedules_overlap: [update('schedules', { overlap: `'cancel'` })],
  schedules_due_unless_paused: [update('schedules', { due_at: 'null' })],
  schedules_paused_no_next: [
    update('schedules', { paused: 'true', paused_at: at, due_at: 'null', next_tick_at: at }),
  ],
  schedules_paused_whole: [update('schedules', { paused_at: at })],
  schedules_removed_paused: [update('schedules', { removed_at: at })],
  schedules_held_whole: [update('schedules', { held_since: at })],
  secrets_name: [insert('secrets', { id: 2 })],
  heads_repository_id_ref_pk: [insert('heads')],

  deliveries_pkey: [insert('deliveries')],
  deliveries_host: [insert('deliveries', { id: `'two'`, host: `'gitlab'` })],
  deliveries_outcome: [update('deliveries', { outcome: `'lost'`, decided_at: at, due_at: 'null' })],
  deliveries_decided_whole: [update('deliveries', { decided_at: at, due_at: 'null' })],
  deliveries_due_until_decided: [update('deliveries', { due_at: 'null' })],
  decisions_outcome: [insert('decisions', { id: 2, outcome: `'perhaps'`, run_id: 'null' })],
  decisions_run: [insert('decisions', { id: 2, outcome: `'no_run'` })],
  decisions_tick: [insert('decisions', { id: 2, tick_at: at })],
  decisions_append_only: [update('decisions', { message: `'other'` })],
  decisions_not_emptied: ['truncate decisions'],

  runs_cause: [insert('runs', { id: 2, number: 2 })],
  runs_number: [insert('runs', { id: 2, cause_key: `'other'` })],
  runs_number_counts: [insert('runs', { id: 2, number: 0, cause_key: `'other'` })],
  runs_state: [update('runs', { state: `'paused'` })],
  runs_trigger: [update('runs', { trigger: `'webhook'` })],
  runs_trust: [update('runs', { trust: `'perhaps'` })],
  runs_when_busy: [update('runs', { when_busy: `'wait'` })],
  runs_class: [update('runs', { class: `'bad_luck'` })],
  runs_final_finished: [update('runs', { state: `'succeeded'`, class: `'succeeded'` })],
  runs_final_class: [update('runs', { state: `'succeeded'`, finished_at: later })],
  runs_due_until_final: [update('runs', { due_at: 'null' })],
  runs_cancel_whole: [update('runs', { cancel_requested_at: at })],
  runs_cancel_reason: [update('runs', { cancel_requested_at: at, cancel_reason: `'bored'` })],
  runs_retry: [update('runs', { trigger: `'retry'` })],
  runs_final_stays: [...settled, update('runs', { state: `'failed'`, class: `'exit'`, due_at: at })],
  // A constraint trigger with two answers, one of them under its own name.
  runs_not_forgotten: [
    update('checks', { says: verdict }),
    update('runs', { state: `'succeeded'`, class: `'succeeded'`, finished_at: later, due_at: 'null' }),
  ],

  attempts_number_once: [insert('attempts', { id: 2 })],
  attempts_number: [insert('attempts', { id: 2, number: 0 })],
  attempts_state: [update('attempts', { state: `'lost'` })],
  attempts_class: [update('attempts', { state: `'failed'`, class: `'bad_luck'`, finished_at: later })],
  attempts_stop_reason: [update('attempts', { stop_reason: `'bored'` })],
  attempts_final_finished: [update('attempts', { state: `'succeeded'` })],
  attempts_final_class: [update('attempts', { state: `'succeeded'`, finished_at: later })],
  attempts_final_stays: [
    ...settled,
    update('attempts', { state: `'running'`, class: 'null', finished_at: 'null' }),
  ],
  attempts_in_time: [...settled, insert('attempts', { id: 2, number: 2, state: `'waiting'` })],
  learned_memory_project_id_task_pk: [insert('learned_memory')],
  learned_memory_some: [update('learned_memory', { bytes: 0 })],
  transitions_append_only: ['delete from transitions'],
  transitions_not_emptied: ['truncate transitions'],

  checks_place: [insert('checks', { id: 2, run_id: 'null' }), insert('checks', { id: 3, run_id: 'null' })],
  checks_run: [insert('checks', { id: 2, name: `'other'` })],
  checks_due_until_said: [update('checks', { due_at: 'null' })],
  checks_verdict_stays: [...settled, update('checks', { says: open })],
  checks_verdict_kept: [...settled, 'delete from checks'],

  blobs_pkey: [insert('blobs')],
  blob_refs_repository_id_digest_pk: [insert('blob_refs')],
  source_objects_repository_id_oid_pk: [insert('source_objects')],
  snapshots_repository_id_digest_pk: [insert('snapshots')],
  artifacts_path: [insert('artifacts', { id: 2 })],
  log_chunks_attempt_id_seq_pk: [insert('log_chunks')],
  log_chunks_length: [
    insert('log_chunks', { seq: 1, length: 262_145, bytes: `decode(repeat('00', 262145), 'hex')` }),
  ],
  log_archives_pkey: [insert('log_archives')],

  identity_pkey: [insert('identity')],
  identity_only: [insert('identity', { only: 'false' })],
};

/** Rules that many tables share, under a name made of the table's. */
const queues = [
  'deliveries',
  'github_apps',
  'installations',
  'repositories',
  'schedules',
  'runs',
  'checks',
] as const;
const counted = [
  'github_apps',
  'installations',
  'repositories',
  'projects',
  'revisions',
  'schedules',
  'secrets',
  'runs',
  'attempts',
  'transitions',
  'decisions',
  'checks',
  'artifacts',
] as const;
const shared: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...queues.map((table) => [
    `${table}_claim_whole`,
    [update(table, { claimed_by: 7, claimed_until: 'null', due_at: at })],
  ]),
  ...queues.map((table) => [
    `${table}_claim_due`,
    [
      ...(table === 'runs' || table === 'checks' ? settled : []),
      update(table, {
        claimed_by: 7,
        claimed_until: at,
        due_at: 'null',
        ...(table === 'installations' ? { removed_at: at } : {}),
        ...(table === 'deliveries' ? { outcome: `'ignored'`, decided_at: at } : {}),
        ...(table === 'checks' ? { said: verdict } : {}),
      }),
    ],
  ]),
  ...counted.map((table) => [`${table}_pkey`, [insert(table, { ...another(table), id: 1 })]]),
]);

const attempts = { ...forbidden, ...shared };

describe('the database refuses', () => {
  test.each(Object.entries(attempts))('what breaks %s', async (name, statements) => {
    const refusal = await attempt(client, statements);
    expect(refusal?.constraint).toBe(name === 'runs_not_forgotten' ? 'runs_nothing_unfinished' : name);
    expect(refusal?.code).toMatch(/^23/);
  });

  test('a run that is at rest before its commit was told the verdict', async () => {
    const [over = ''] = settled;
    const rest = update('runs', {
      state: `'succeeded'`,
      class: `'succeeded'`,
      finished_at: later,
      due_at: 'null',
    });
    expect(await attempt(client, [over, rest])).toMatchObject({ constraint: 'runs_verdict_told' });
    const half = update('checks', { says: `'{"status": "completed", "conclusion": null}'` });
    expect(await attempt(client, [over, half, rest])).toMatchObject({ constraint: 'runs_verdict_told' });
  });

  test('only at the commit, so that one step may save its rows in any order', async () => {
    const [overAttempt = '', toldCheck = '', restRun = '', atOnce = ''] = settled;
    expect(await attempt(client, [restRun, toldCheck, overAttempt, atOnce])).toBeNull();
  });

  test('a row that leaves out what every row says', async () => {
    const { rows } = await client.query<{ table: Table; column: string }>(`
      select table_name as table, column_name as column from information_schema.columns
      where table_schema = 'public' and is_nullable = 'NO' and is_identity = 'NO'`);
    expect(rows.length).toBeGreaterThan(70);
    for (const { table, column } of rows) {
      const refusal = await attempt(client, [insert(table, { [column]: 'null' })]);
      expect(refusal, `${table}.${column}`).toMatchObject({ code: '23502', column });
    }
  });

  test('what refers to nothing', async () => {
    const { rows } = await client.query<{ name: string; table: Table; column: string; type: string }>(`
      select conname as name, conrelid::regclass::text as table, attname as column, format_type(atttypid, null) as type
      from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where contype = 'f' and connamespace = 'public'::regnamespace`);
    expect(rows.length).toBeGreaterThan(25);
    for (const { name, table, column, type } of rows) {
      const nothing = type === 'text' ? `'nothing'` : '-1';
      // Where there is one for each of what it refers to, the first one makes room.
      const room = ['learned_memory', 'log_archives', 'snapshots'].includes(table)
        ? [`delete from ${table}`]
        : [];
      const fresh = insert(table, { ...another(table), [column]: nothing });
      expect(await attempt(client, [...room, fresh]), name).toMatchObject({
        code: '23503',
        constraint: name,
      });
    }
  });
});

test('every rule of the database has its attempt here', async () => {
  const { rows } = await client.query<{ name: string }>(`
    select conname as name from pg_constraint
      where connamespace = 'public'::regnamespace and contype in ('c', 'p', 'u', 'x', 't')
    union
    select indexrelid::regclass::text from pg_index join pg_class on pg_class.oid = indrelid
      where indisunique and relnamespace = 'public'::regnamespace
    union
    select tgname from pg_trigger join pg_class on pg_class.oid = tgrelid
      where not tgisinternal and relnamespace = 'public'::regnamespace`);
  expect(rows.map((row) => row.name).sort()).toEqual(Object.keys(attempts).sort());
});

test('every table has its sample row', async () => {
  const { rows } = await client.query<{ name: string }>(`select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`);
  expect(rows.map((row) => row.name).sort()).toEqual(Object.keys(sampleRows).sort());
});
