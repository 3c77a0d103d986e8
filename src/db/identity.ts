import { sql } from 'drizzle-orm';
import { connect, type Db } from './connect.ts';

/** Which database this is: text that no other one has, and '' where it is older than such texts. */
export async function readIdentity(db: Db): Promise<string> {
  const { rows } = await db.orm.execute<{ id: string }>(sql`select id from identity`);
  const [row] = rows;
  if (row === undefined) throw new Error('the database does not say which one it is');
  return row.id;
}

/** The same of a database that nobody has opened yet. */
export async function identify(url: string): Promise<string> {
  const db = connect({ url, max: 1 });
  try {
    return await readIdentity(db);
  } finally {
    await db.close();
  }
}
