import type { Client } from 'pg';

/** A valid row of every table, as SQL literals: a small world in which each row has what it refers to. */
const at = `'2026-05-01T12:00:00Z'`;
const later = `'2026-05-01T12:01:00Z'`;
const digest = `'${'a'.repeat(64)}'`;
const said = (status: string, conclusion: string): string =>
  `'{"name": "train", "status": "${status}", "conclusion": ${conclusion}}'`;

export const open = said('in_progress', 'null');
export const verdict = said('completed', '"success"');

export type Row = Readonly<Record<string, string | number>>;

/** In the order in which they can be stored. */
export const sampleRows = {
  identity: { only: 'true', id: `'one'` },
  github_apps: {
    id: 1,
    app_id: `'7'`,
    private_key: `'\\x00'`,
    webhook_secret: `'\\x00'`,
    key_id: `'k'`,
    created_at: at,
    updated_at: at,
    due_at: at,
  },
  installations: {
    id: 1,
    host_id: `'70'`,
    account_id: `'700'`,
    account: `'acme'`,
    account_type: `'Organization'`,
    permissions: `'{}'`,
    created_at: at,
    due_at: at,
  },
  repositories: { id: 1, host: `'local'`, host_id: `'1'`, owner: `'ada'`, name: `'spam'`, created_at: at },
  projects: { id: 1, repository_id: 1, path: `''`, name: `'spam'`, created_at: at },
  deliveries: { id: `'one'`, host: `'local'`, event: `'push'`, body: `'\\x00'`, received_at: at, due_at: at },
  revisions: {
    id: 1,
    project_id: 1,
    commit: `'c0ffee'`,
    file_digest: `'1'`,
    project: `'{}'`,
    problems: `'[]'`,
    created_at: at,
  },
  schedules: {
    id: 1,
    project_id: 1,
    name: `'nightly'`,
    task: `'train'`,
    cron: `'0 1 * * *'`,
    zone: `'UTC'`,
    catchup: `'last'`,
    overlap: `'skip'`,
    due_at: at,
  },
  secrets: {
    id: 1,
    project_id: 1,
    name: `'key'`,
    ciphertext: `'\\x00'`,
    key_id: `'k'`,
    updated_at: at,
  },
  heads: { repository_id: 1, ref: `'refs/heads/main'`, sha: `'c0ffee'`, seen_at: at },
  runs: {
    id: 1,
    project_id: 1,
    number: 1,
    task: `'train'`,
    commit: `'c0ffee'`,
    ref: `'refs/heads/main'`,
    trigger: `'push'`,
    cause_key: `'commit:c0ffee:refs/heads/main:train'`,
    delivery_id: `'one'`,
    trust: `'trusted'`,
    plan: `'{}'`,
    plan_digest: `'d'`,
    concurrency_group: `'g'`,
    when_busy: `'allow'`,
    state: `'running'`,
    created_at: at,
    due_at: at,
  },
  attempts: { id: 1, run_id: 1, task: `'train'`, position: 0, number: 1, state: `'running'`, created_at: at },
  transitions: { id: 1, run_id: 1, attempt_id: 1, to: `'running'`, cause: `'started'`, at },
  decisions: {
    id: 1,
    delivery_id: `'one'`,
    project_id: 1,
    repository_id: 1,
    trigger: `'push'`,
    outcome: `'run'`,
    rule: `'on.push'`,
    message: `'because'`,
    run_id: 1,
    decided_at: at,
  },
  checks: { id: 1, repository_id: 1, sha: `'c0ffee'`, name: `'train'`, run_id: 1, says: open, due_at: at },
  blobs: { digest, size: 3, created_at: at },
  blob_refs: { repository_id: 1, digest },
  source_objects: { repository_id: 1, oid: `'c0ffee'`, digest },
  snapshots: { repository_id: 1, digest, attempt_id: 1, created_at: at },
  artifacts: { id: 1, attempt_id: 1, path: `'model.bin'`, digest, size: 3, mode: 420 },
  log_chunks: {
    attempt_id: 1,
    seq: 0,
    first_line: 0,
    offset: 0,
    length: 3,
    bytes: `'\\x616263'`,
    lines: `'[]'`,
  },
  learned_memory: {
    project_id: 1,
    task: `'train'`,
    bytes: 1,
    asked: `''`,
    learned_at: at,
    attempt_id: 1,
  },
  log_archives: { attempt_id: 1, digest, bytes: 3, lines: 1, index: `'[]'` },
} as const satisfies Readonly<Record<string, Row>>;

export type Table = keyof typeof sampleRows;

/** The statement that stores the sample row of a table with some columns changed. */
export function insert(table: Table, change: Row = {}): string {
  const row: Row = { ...sampleRows[table], ...change };
  const columns = Object.keys(row).map((column) => `"${column}"`);
  return `insert into "${table}" (${columns.join()}) overriding system value values (${Object.values(row).join()})`;
}

/** What makes the sample row of a table another one for every rule of uniqueness. */
export function another(table: Table): Row {
  const changes: Partial<Record<Table, Row>> = {
    github_apps: { app_id: `'8'` },
    installations: { host_id: `'71'` },
    repositories: { host_id: `'2'`, name: `'other'` },
    projects: { path: `'other'` },
    deliveries: { id: `'other'` },
    revisions: { commit: `'other'` },
    schedules: { name: `'other'` },
    secrets: { name: `'other'` },
    heads: { ref: `'other'` },
    runs: { number: 2, cause_key: `'other'`, trigger: `'retry'`, retry_of: 1 },
    attempts: { number: 2 },
    checks: { name: `'other'`, run_id: 'null' },
    artifacts: { path: `'other'` },
    source_objects: { oid: `'other'` },
    log_chunks: { seq: 1 },
  };
  return {
    ...(typeof Reflect.get(sampleRows[table], 'id') === 'number' ? { id: 2 } : {}),
    ...changes[table],
  };
}

/** The statement that changes the sample rows of a table. */
export function update(table: Table, change: Row): string {
  const sets = Object.entries(change).map(([column, value]) => `"${column}" = ${value}`);
  return `update "${table}" set ${sets.join()}`;
}

/** The run, its attempt and its check have ended and are at rest. */
export const settled = [
  update('attempts', { state: `'succeeded'`, class: `'succeeded'`, finished_at: later }),
  update('checks', { says: verdict }),
  update('runs', { state: `'succeeded'`, class: `'succeeded'`, finished_at: later, due_at: 'null' }),
  // What is deferred to the commit is asked for now.
  'set constraints all immediate',
];

export const times = { at, later };

/** What Postgres says of a statement that it refuses. */
export type Refusal = {
  readonly code: string;
  readonly constraint: string | undefined;
  readonly column: string | undefined;
};

/** Runs statements in a transaction that is undone; answers with the refusal of the last one, deferred rules included. */
export async function attempt(client: Client, statements: readonly string[]): Promise<Refusal | null> {
  await client.query('begin');
  try {
    for (const statement of statements.slice(0, -1)) await client.query(statement);
    return await refusalOf(client, [statements.at(-1) ?? '', 'set constraints all immediate']);
  } finally {
    await client.query('rollback');
  }
}

async function refusalOf(client: Client, statements: readonly string[]): Promise<Refusal | null> {
  try {
    for (const statement of statements) await client.query(statement);
    return null;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
    const text = (key: string): string | undefined => {
      const value: unknown = Reflect.get(error, key);
      return typeof value === 'string' ? value : undefined;
    };
    return { code: error.code, constraint: text('constraint'), column: text('column') };
  }
}
