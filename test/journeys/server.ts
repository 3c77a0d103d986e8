/** A whole server in a process of its own, to be killed: data directory. Says where it listens. */
import { flushCompileCache } from 'node:module';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startServer } from '../../src/main.ts';

const config = readConfig();
const log = createLog(config.logLevel, { write: (line) => void process.stderr.write(line) });
const server = await startServer(config, process.argv[2] ?? '', log);
// A process that is killed does not write it.
flushCompileCache();
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
const { address, token, context } = server;
process.stdout.write(`${JSON.stringify({ address, token, databaseUrl: context.databaseUrl })}\n`);
