import { startEmbeddedPostgres } from '../../src/db/embedded.ts';

// A process for the tests of the embedded Postgres: says its address, or the reason why there is none, and stops it
// when its standard input closes.
const log = { info: () => {}, error: () => {} };
try {
  const postgres = await startEmbeddedPostgres({ directory: process.argv[2] ?? '', log });
  console.log(postgres.url);
  for await (const _ of process.stdin);
  await postgres.stop();
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
