import type { Client, Pool } from 'pg';

/** Keeps what the migrations put into tables, for `emptyTables`. */
export const rememberRows = `
  create schema beginning;
  do $$ declare name text; is_empty boolean; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
      execute format('select not exists (select from public.%I)', name) into is_empty;
      if not is_empty then execute format('create table beginning.%1$I as table public.%1$I', name); end if;
    end loop;
  end $$`;

/** Every table as it was in the beginning, whatever triggers and references say of it; statements that are sent together are one transaction. */
const empty = `
  set local session_replication_role = replica;
  do $$ declare one record; begin
    for one in select oid::regclass as name, pg_relation_size(oid) as bytes from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace
    loop
      -- Rows that are gone are read over until a vacuum: where there were many, new files are quicker.
      if one.bytes > 65536 then execute format('truncate %s cascade', one.name);
      elsif one.bytes > 0 then execute format('delete from %s', one.name);
      end if;
    end loop;
    for one in select relname as name from pg_class where relkind = 'r' and relnamespace = 'beginning'::regnamespace
    loop
      execute format('insert into public.%1$I overriding system value table beginning.%1$I', one.name);
    end loop;
  end $$;
  select setval(oid, 1, false) from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace`;

/** What a statement that makes, changes or removes a table, a column, a rule or a trigger leaves another. */
const shape = `
  select concat_ws(' ',
    (select concat(count(*), ':', max(oid::bigint)) from pg_class where relnamespace = any (ours)),
    (select concat(count(*), ':', max(oid::bigint)) from pg_constraint where connamespace = any (ours)),
    (select concat(count(*), ':', max(oid::bigint)) from pg_proc where pronamespace = any (ours)),
    (select concat(count(*), ':', max(oid::bigint), ':', count(*) filter (where tgenabled <> 'O')) from pg_trigger),
    (select count(*) from pg_attribute where attrelid >= 16384 and not attisdropped)) as shape
  from (select array_agg(oid) as ours from pg_namespace where oid >= 16384 or nspname = 'public') as schemas`;

export async function shapeOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ shape: string }>(shape);
  return rows[0]?.shape ?? '';
}

/** Makes the tables of a database as the migrations left them, and its ids begin at 1. */
export async function emptyTables(client: Client | Pool): Promise<void> {
  await client.query(empty);
}
