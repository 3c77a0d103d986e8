import { Webhooks } from '@octokit/webhooks';

/** True where the signature was made of exactly these bytes with one of the secrets. */
export type Verify = (body: Uint8Array, signature: string) => Promise<boolean>;

/**
 * Verifies `X-Hub-Signature-256`. SHA-256 alone counts; each secret is tried, so that the time does not tell
 * which one signed. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function createVerify(secrets: readonly string[]): Verify {
  const signers = secrets.map((secret) => new Webhooks({ secret }));
  // The library takes text. Text that decodes without a repair, its byte order mark kept, encodes to the same bytes.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return async (body, signature) => {
    if (!/^sha256=[0-9a-f]{64}$/.test(signature)) return false;
    const text = decodeOrNull(decoder, body);
    if (text === null || text === '') return false;
    const answers = await Promise.all(signers.map((signer) => signer.verify(text, signature)));
    return answers.includes(true);
  };
}

function decodeOrNull(decoder: InstanceType<typeof TextDecoder>, body: Uint8Array): string | null {
  try {
    return decoder.decode(body);
  } catch {
    return null;
  }
}
