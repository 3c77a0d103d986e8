import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { emptyTables, shapeOf } from './empty-database.ts';

export type TestDatabase = AsyncDisposable & {
  readonly url: string;
  /** Ends every session on it; nobody finds it under its name any more. */
  readonly drop: () => Promise<void>;
};

/** A database that was given back, under a name of its own, and the shape of its tables when it was made. */
type Free = { readonly name: string; readonly shape: string };

/** Of this process: what files of tests share on purpose. */
const free: Free[] = [];

/**
 * A migrated, empty database of the test's own, for `await using` or `afterAll(() => database.drop())`: one that an
 * earlier test gave back, emptied and under another name, else a copy of the run's template. To copy one and to remove
 * it cost 90 ms of a processor, most of them in the file system; to empty one costs 18.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  for (let found = free.pop(); found; found = free.pop()) {
    const { name, shape } = found;
    const isEmpty = await connected(atDatabase(server, name), async (client) => {
      if ((await shapeOf(client)) !== shape) return false;
      await emptyTables(client);
      return true;
    });
    if (isEmpty) return lend(server, found);
    await query(server, `drop database ${name} with (force)`);
  }
  const name = freshName();
  await query(server, `create database ${name} template ${inject('postgresTemplate')} strategy file_copy`);
  return lend(server, { name, shape: await connected(atDatabase(server, name), shapeOf) });
}

function lend(server: string, { name, shape }: Free): TestDatabase {
  const drop = async (): Promise<void> => {
    const next = freshName();
    try {
      await query(
        server,
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}';
        alter database ${name} rename to ${next}`,
      );
      free.push({ name: next, shape });
    } catch {
      // Somebody came back in between, or the test removed it by itself.
      await query(server, `drop database if exists ${name} with (force)`);
    }
  };
  return { url: atDatabase(server, name), drop, [Symbol.asyncDispose]: drop };
}

/** All of a run begin with the template's name, by which they are found and removed at its end. */
function freshName(): string {
  return `${inject('postgresTemplate')}_${randomBytes(6).toString('hex')}`;
}

/** The same server, another database. */
export function atDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, statement: string): Promise<void> {
  await connected(url, (client) => client.query(statement));
}

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
