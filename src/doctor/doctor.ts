import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import { examineCluster } from './cluster/examine.ts';
import { examineDatabaseUrl } from './database.ts';
import { wrong, type Finding } from './finding.ts';
import { examineGithub } from './github.ts';
import { examineStorage, signedAddress } from './storage.ts';

export type Exam = {
  readonly config: Config;
  /** The data directory; it need not be there. */
  readonly directory: string;
  /** Whether this process is in a pod, whose disk goes with it. */
  readonly inPod: boolean;
  readonly clock?: () => Date;
  /** How long the pod that is tried may take, milliseconds; 60,000 where unsaid. */
  readonly patienceMs?: number;
};

/**
 * Looks at everything that AME needs, from the configuration alone and with no server running, and tells each finding
 * as soon as it has it. Nothing is changed: what is written to try something out is removed again.
 */
export async function* examine(exam: Exam): AsyncGenerator<Finding> {
  const { config, directory } = exam;
  const clock = exam.clock ?? (() => new Date());
  const database = await examineDatabaseUrl(config.databaseUrl, clock);
  yield* database;
  yield* await examineStorage(config.s3, join(directory, 'content'));
  yield* examineKeys(exam);
  yield* await examineGithub({
    config,
    databaseUrl: database.every(({ ok, what }) => ok || what === 'clock') ? config.databaseUrl : null,
    secretKey: config.secretKey ?? (await storedKey(directory)),
    log: createLog('silent'),
  });
  const { kubernetes } = config;
  if (kubernetes !== null)
    yield* examineCluster({
      config,
      kubernetes,
      clock,
      storeUrl: await signedAddress(config.s3),
      patienceMs: exam.patienceMs ?? 60_000,
    });
}

/** What is made in the data directory of a pod is made anew in the next one. */
function* examineKeys({ config, inPod }: Exam): Generator<Finding> {
  if (!inPod) return;
  if (config.secretKey === null)
    yield wrong(
      'key',
      'AME_SECRET_KEY is not set: each start of a pod would make another key, and read no secret of the one before',
      'Set it to what `openssl rand -hex 32` prints, the same for all replicas',
    );
  if (config.token === null)
    yield wrong(
      'key',
      'AME_TOKEN is not set: each start of a pod would make another token',
      'Set it to 16 or more letters and digits, the same for all replicas',
    );
}

async function storedKey(directory: string): Promise<Uint8Array | null> {
  const text = await readFile(join(directory, 'secret-key'), 'utf8').catch(() => '');
  return /^[0-9a-f]{64}$/.test(text.trim()) ? Buffer.from(text.trim(), 'hex') : null;
}
