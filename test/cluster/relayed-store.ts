import type { Env } from '../../src/config.ts';
import { testBucket } from '../storage/s3-server.ts';
import { createRelay, type Relay } from './relay.ts';

/** The S3 server that AME_TEST_S3 names, by a way that is counted and can stall, and the configuration for it. */
export type RelayedStore = AsyncDisposable & { readonly relay: Relay; readonly env: Env };

/** Null where there is no such server. `agentHost` is this machine as pods reach it. */
export async function openRelayedStore(agentHost: string, prefix: string): Promise<RelayedStore | null> {
  const place = await testBucket(`${prefix}/`);
  if (place === null) return null;
  const { hostname, port } = new URL(place.endpoint);
  const relay = await createRelay({ host: hostname, port: Number(port) });
  return {
    relay,
    env: {
      // Requests are signed for the name that pods ask for.
      AME_S3_ENDPOINT: `http://${agentHost}:${relay.port}`,
      AME_S3_BUCKET: place.bucket,
      AME_S3_ACCESS_KEY_ID: place.accessKeyId,
      AME_S3_SECRET_ACCESS_KEY: place.secretAccessKey,
      AME_S3_PREFIX: prefix,
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
