import { examineDatabase, oldestPostgres, type DatabaseFacts } from '../db/examine.ts';
import { compareClocks, type Reading } from './clock.ts';
import { right, wordsOf, wrong, type Finding } from './finding.ts';

/** Looks at the database of `DATABASE_URL`; `null` is the embedded one, which comes up with the server. */
export async function examineDatabaseUrl(url: string | null, clock: () => Date): Promise<readonly Finding[]> {
  if (url === null)
    return [right('database', 'The embedded Postgres of the data directory, started with the server')];
  const before = clock();
  try {
    const facts = await examineDatabase(url);
    return findingsOf(facts, { before, theirs: facts.now, after: clock() });
  } catch (error) {
    const remedy =
      'Look whether the host, the port, the user and the password in DATABASE_URL are right, and whether this machine may connect';
    return [wrong('database', `The database does not let us in: ${wordsOf(error)}`, remedy)];
  }
}

/** What the answers of a database mean. */
export function findingsOf({ major, mayCreate }: DatabaseFacts, reading: Reading): readonly Finding[] {
  if (major < oldestPostgres) {
    const message = `The database is Postgres ${major}; AME needs ${oldestPostgres} or newer`;
    return [wrong('database', message, 'Let DATABASE_URL name a newer one')];
  }
  const rights = mayCreate
    ? right('database', `Postgres ${major} answers, and its role may bring it to this version's schema`)
    : wrong(
        'database',
        `Postgres ${major} answers, and the role of DATABASE_URL may not create tables there`,
        'Make that role the owner of the database: alter database … owner to …',
      );
  return [rights, compareClocks(reading, 'database')];
}
