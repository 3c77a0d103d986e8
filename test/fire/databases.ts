import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../database.ts';

/** Databases that are emptied and lent again: a new one for each life costs more than all that the life does in it. */
export type Databases = AsyncDisposable & {
  /** One with the rows of a new one. It is given back when it is disposed of. */
  readonly lend: () => Promise<Pick<TestDatabase, 'url'> & AsyncDisposable>;
};

/** Every table as it was in the beginning, whatever triggers say of it, and nobody else in it. */
const empty = `
  select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid();
  set session_replication_role = replica;
  do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
      execute format('delete from public.%1$I', name);
      execute format('insert into public.%1$I overriding system value select * from beginning.%1$I', name);
    end loop;
  end $$;
  select setval(oid, 1, false) from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace`;

const remember = `
  create schema beginning;
  do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
      execute format('create table beginning.%1$I as table public.%1$I', name);
    end loop;
  end $$`;

async function run(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

export function openDatabases(): Databases {
  const all: TestDatabase[] = [];
  const free: TestDatabase[] = [];

  async function make(): Promise<TestDatabase> {
    const made = await createTestDatabase();
    all.push(made);
    await run(made.url, remember);
    return made;
  }

  return {
    async lend() {
      const found = free.pop();
      if (found) await run(found.url, empty);
      const lent = found ?? (await make());
      return {
        url: lent.url,
        async [Symbol.asyncDispose]() {
          free.push(lent);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const one of all) await one.drop();
    },
  };
}
