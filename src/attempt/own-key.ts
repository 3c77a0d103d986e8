import { createHmac } from 'node:crypto';

/**
 * What this AME signs and names with: its secret key and its database together. An administrator may use one key
 * twice, or begin with a new database, whose attempts are numbered anew: neither may take the other's Jobs or tokens for
 * its own. A database that is older than such ids goes on with the key alone.
 */
export function ownKeyOf(secretKey: Uint8Array, databaseId: string): Uint8Array {
  if (databaseId === '') return secretKey;
  return createHmac('sha256', secretKey).update(`ame own key 1\n${databaseId}`).digest();
}
