import { Client } from 'pg';

/** What a statement answers with, on a connection of its own: the server that is killed has its others. */
export async function askDatabase<T extends object>(url: string, statement: string): Promise<readonly T[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<T>(statement)).rows;
  } finally {
    await client.end();
  }
}
