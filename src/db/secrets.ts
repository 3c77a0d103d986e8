import { and, asc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { installations } from './schema/github.ts';
import { projects, secrets } from './schema/projects.ts';
import { repositories } from './schema/repositories.ts';
import { keyId, seal, unseal } from './seal.ts';

/** Stores a secret of a project, encrypted with AES-256-GCM and bound to its project and name. */
export async function saveSecret(
  db: Db,
  key: Uint8Array,
  row: { readonly projectId: number; readonly name: string; readonly value: string },
): Promise<void> {
  const stored = {
    ciphertext: seal(key, place(row.projectId, row.name), row.value),
    keyId: keyId(key),
    accountId: accountOf(sql`${row.projectId}`),
    updatedAt: db.now(),
  };
  await db.orm
    .insert(secrets)
    .values({ projectId: row.projectId, name: row.name, ...stored })
    .onConflictDoUpdate({ target: [secrets.projectId, secrets.name], set: stored });
}

/** The values of those of `names` that the project has. Throws `SecretUnreadableError`. */
export async function readSecrets(
  db: Db,
  key: Uint8Array,
  projectId: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await db.orm
    .select()
    .from(secrets)
    .where(and(eq(secrets.projectId, projectId), inArray(secrets.name, [...names]), ofItsAccount()));
  return new Map(
    rows.map((row) => {
      const sealed = { sealed: row.ciphertext, keyId: row.keyId, what: `the secret ${row.name}` };
      return [row.name, unseal(key, place(row.projectId, row.name), sealed)];
    }),
  );
}

/** Names and ages, never values. */
export async function listSecrets(
  db: Db,
  projectId: number,
): Promise<readonly { readonly name: string; readonly updatedAt: Date }[]> {
  return db.orm
    .select({ name: secrets.name, updatedAt: secrets.updatedAt })
    .from(secrets)
    .where(and(eq(secrets.projectId, projectId), ofItsAccount()))
    .orderBy(asc(secrets.name));
}

/** False where there was none. */
export async function deleteSecret(db: Db, projectId: number, name: string): Promise<boolean> {
  const { rowCount } = await db.orm
    .delete(secrets)
    .where(and(eq(secrets.projectId, projectId), eq(secrets.name, name)));
  return rowCount === 1;
}

/** A repository that was transferred to another account does not bring the secrets of the one before. */
function ofItsAccount(): SQL {
  return sql`${secrets.accountId} is not distinct from ${accountOf(sql`${secrets.projectId}`)}`;
}

/** The account that a project's repository belongs to now; null on AME's own host. */
function accountOf(projectId: SQL): SQL {
  return sql`(select i.account_id from ${projects} p join ${repositories} r on r.id = p.repository_id
    join ${installations} i on i.host_id = r.installation_id where p.id = ${projectId})`;
}

function place(projectId: number, name: string): string {
  return `${projectId}\n${name}`;
}
