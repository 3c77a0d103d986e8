import { Client } from 'pg';

/**
 * Fills a database with copies of its newest finished run, each with its attempts and its check, until it has so many
 * runs: a history without the days that it would take. The rules that guard rows against us are not asked meanwhile.
 */
export async function fillWithPastRuns(databaseUrl: string, total: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set session_replication_role = replica');
    const { rows } = await client.query<{ id: string; count: string; project: string; last: string }>(`
      select r.id, r.project_id as project, (select count(*) from runs) as count, (select max(number) from runs) as last
      from runs r where r.finished_at is not null order by r.id desc limit 1`);
    const [model] = rows;
    if (model === undefined) throw new Error('there is no finished run to copy');
    const missing = total - Number(model.count);
    if (missing <= 0) return;
    const [id, last] = [Number(model.id), Number(model.last)];
    const copy = (table: string, where: string, changes: string): string => `
      insert into ${table} overriding system value
      select (jsonb_populate_record(m, jsonb_build_object(${changes}))).*
      from ${table} m, generate_series(1, ${missing}) as n where ${where}`;
    // A serial of its own for the copies, so that attempts and checks know their run.
    const { rows: bases } = await client.query<{ base: string }>('select max(id) as base from runs');
    const base = Number(bases[0]?.base ?? 0);
    await client.query(
      copy(
        'runs',
        `m.id = ${id}`,
        `'id', ${base} + n, 'number', ${last} + n, 'cause_key', 'past:' || (${last} + n),
         'created_at', m.created_at - n * interval '1 minute', 'due_at', null`,
      ),
    );
    for (const table of ['attempts', 'checks', 'transitions'])
      await client.query(
        copy(
          table,
          `m.run_id = ${id}`,
          `'id', nextval(pg_get_serial_sequence('${table}', 'id')), 'run_id', ${base} + n`,
        ),
      );
    await client.query(`select setval(pg_get_serial_sequence('runs', 'id'), (select max(id) from runs))`);
    await client.query(`update projects set last_number = ${last} + ${missing} where id = ${model.project}`);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}
