import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { secrets } from './schema/projects.ts';

/** A value that could not be read back: another key wrote it, or the row was changed. */
export class SecretUnreadableError extends Error {
  override name = 'SecretUnreadableError';
}

const nonceBytes = 12;
const tagBytes = 16;

/** Stores a secret of a project, encrypted with AES-256-GCM and bound to its project and name. */
export async function saveSecret(
  db: Db,
  key: Uint8Array,
  row: { readonly projectId: number; readonly name: string; readonly value: string },
): Promise<void> {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(place(row.projectId, row.name));
  const sealed = Buffer.concat([
    nonce,
    cipher.update(row.value, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const stored = { ciphertext: sealed, keyId: keyId(key), updatedAt: db.now() };
  await db.orm
    .insert(secrets)
    .values({ projectId: row.projectId, name: row.name, ...stored })
    .onConflictDoUpdate({ target: [secrets.projectId, secrets.name], set: stored });
}

/** The values of those of `names` that the project has. */
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
    .where(and(eq(secrets.projectId, projectId), inArray(secrets.name, [...names])));
  return new Map(rows.map((row) => [row.name, open(key, row)]));
}

/** Names and ages, never values. */
export async function listSecrets(
  db: Db,
  projectId: number,
): Promise<readonly { readonly name: string; readonly updatedAt: Date }[]> {
  return db.orm
    .select({ name: secrets.name, updatedAt: secrets.updatedAt })
    .from(secrets)
    .where(eq(secrets.projectId, projectId))
    .orderBy(asc(secrets.name));
}

/** False where there was none. */
export async function deleteSecret(db: Db, projectId: number, name: string): Promise<boolean> {
  const { rowCount } = await db.orm
    .delete(secrets)
    .where(and(eq(secrets.projectId, projectId), eq(secrets.name, name)));
  return rowCount === 1;
}

function open(key: Uint8Array, row: typeof secrets.$inferSelect): string {
  const sealed = Buffer.from(row.ciphertext);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes))
      .setAAD(place(row.projectId, row.name))
      .setAuthTag(sealed.subarray(-tagBytes));
    return (
      decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (cause) {
    const why = row.keyId === keyId(key) ? 'its row was changed' : `it was written with the key ${row.keyId}`;
    throw new SecretUnreadableError(`the secret ${row.name} cannot be read: ${why}`, { cause });
  }
}

/** A ciphertext that is moved to another project or name no longer opens. */
function place(projectId: number, name: string): Buffer {
  return Buffer.from(`${projectId}\n${name}`);
}

function keyId(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
