/** A process that migrates the database at the given address, to be run beside others or to be killed. */
import { migrate } from '../../src/db/migrate.ts';

await migrate(process.argv[2] ?? '');
