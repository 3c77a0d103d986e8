import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { startChildServer } from '../test/journeys/child-server.ts';
import { deliveryRequest, pushBody, webhookSecret } from './deliveries.ts';
import { percentile, type BenchOptions, type Figures, type Peers } from './figures.ts';
import { beside } from './peers/beside.ts';
import { probotKnown, probotPath, withProbot } from './peers/probot.ts';
import { postAll } from './raw-posts.ts';

const connections = 48;
/** Deliveries a second for the delays. */
const pace = 200;

/**
 * Signed deliveries a second that the webhook's door answers, each durable before its answer; the delay of one at
 * 200 a second; and, on the same Postgres in the same run, what a bare loop of inserts of the same bodies does. The
 * peer is Probot with a handler that does nothing, which keeps nothing of what it takes in.
 */
export async function benchAck({ peers, short }: BenchOptions): Promise<Figures> {
  const seconds = short ? 1 : 8;
  const ame = await measureAme(seconds);
  return peers ? { ...ame, peers: await beside(() => measureProbot(seconds), probotKnown) } : ame;
}

function measureProbot(seconds: number): Promise<Peers> {
  return withProbot(webhookSecret, async (address, version) => {
    const body = pushBody();
    await flood(address, body, seconds / 4, probotPath);
    const flooded = await flood(address, body, seconds, probotPath);
    if (flooded.some(({ status }) => status >= 300)) throw new Error('Probot refuses deliveries');
    const paced = await postPaced(address, body, seconds, probotPath);
    return {
      probotPerSecond: { figure: Math.round(flooded.length / seconds), version },
      probotPacedP99Ms: { figure: round(percentile(paced, 0.99)), version },
    };
  });
}

async function measureAme(seconds: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startChildServer(directory, { AME_GITHUB_WEBHOOK_SECRET: webhookSecret });
  const body = pushBody();
  try {
    await flood(server.address, body, seconds / 4);
    const flooded = await flood(server.address, body, seconds);
    const refused = flooded.filter(({ status }) => status !== 202).length;
    const bare = await insertBare(server.databaseUrl, body, seconds);
    await idle(server.databaseUrl);
    const paced = await postPaced(server.address, body, seconds);
    const figures = {
      perSecond: Math.round(flooded.length / seconds),
      refused,
      barePerSecond: Math.round(bare),
      shareOfBare: Math.round((100 * flooded.length) / seconds / bare) / 100,
      pacedP50Ms: round(percentile(paced, 0.5)),
      pacedP99Ms: round(percentile(paced, 0.99)),
    };
    return {
      name: 'ack',
      figures,
      aims: { perSecond: '>= 4000', shareOfBare: '>= 0.7', pacedP99Ms: '<= 10' },
      met:
        refused === 0 && figures.perSecond >= 4_000 && figures.shareOfBare >= 0.7 && figures.pacedP99Ms <= 10,
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** As many as go through in so many seconds; signing is done before, so that it costs nothing while it counts. */
async function flood(address: string, body: Buffer, forSeconds: number, path?: string) {
  const prepared = Array.from({ length: 8_000 * forSeconds }, () => deliveryRequest('push', body, path));
  const until = performance.now() + forSeconds * 1_000;
  return postAll(address, connections, () => (performance.now() < until ? (prepared.pop() ?? null) : null));
}

/** Delays in milliseconds of deliveries that come evenly. */
async function postPaced(
  address: string,
  body: Buffer,
  forSeconds: number,
  path?: string,
): Promise<readonly number[]> {
  const prepared = Array.from({ length: pace * forSeconds }, () => deliveryRequest('push', body, path));
  const start = performance.now();
  let sent = 0;
  const answers = await postAll(address, 8, async () => {
    const at = sent++;
    const request = prepared[at];
    if (request === undefined) return null;
    await sleep(Math.max(0, start + (at * 1_000) / pace - performance.now()));
    return request;
  });
  return answers.map(({ ms }) => ms);
}

/** One insert, one commit, from as many connections as Postgres does well with. */
async function insertBare(url: string, body: Buffer, forSeconds: number): Promise<number> {
  const pool = new Pool({ connectionString: url, max: 10 });
  try {
    await pool.query('create table bench_bare (id text primary key, event text, body bytea, at timestamptz)');
    const until = performance.now() + forSeconds * 1_000;
    let rows = 0;
    const insert = async (): Promise<void> => {
      while (performance.now() < until) {
        rows += 1;
        await pool.query("insert into bench_bare values ($1, 'push', $2, now())", [`bare-${rows}`, body]);
      }
    };
    await Promise.all(Array.from({ length: 10 }, insert));
    return rows / forSeconds;
  } finally {
    await pool.query('drop table if exists bench_bare');
    await pool.end();
  }
}

/**
 * Waits until nothing is being worked on, so that the delays are those of a server at rest. There is no App here, so that
 * what was taken in would be looked at again and again: all of it is put off.
 */
async function idle(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1 });
  try {
    for (;;) {
      await pool.query(
        `update deliveries set due_at = '2100-01-01' where decided_at is null and claimed_by is null`,
      );
      const { rows } = await pool.query<{ left: number }>(
        `select count(*)::int as left from deliveries where decided_at is null and due_at < '2100-01-01'`,
      );
      if ((rows[0]?.left ?? 0) === 0) return;
      await sleep(500);
    }
  } finally {
    await pool.end();
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
