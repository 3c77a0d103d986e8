import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** A value that could not be read back: another key wrote it, or the row was changed. */
export class SecretUnreadableError extends Error {
  override name = 'SecretUnreadableError';
}

const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts a text with AES-256-GCM for one place: moved to another one it no longer opens. */
export function seal(key: Uint8Array, place: string, value: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** What was sealed for `place`. `what` names it in the `SecretUnreadableError`, which never holds any of it. */
export function unseal(
  key: Uint8Array,
  place: string,
  row: { readonly sealed: Uint8Array; readonly keyId: string; readonly what: string },
): string {
  const sealed = Buffer.from(row.sealed);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes))
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(-tagBytes));
    return (
      decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (cause) {
    const why = row.keyId === keyId(key) ? 'its row was changed' : `it was written with the key ${row.keyId}`;
    throw new SecretUnreadableError(`${row.what} cannot be read: ${why}`, { cause });
  }
}

/** Names a key without telling anything of it. */
export function keyId(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
