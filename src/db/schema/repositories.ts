import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { id, oneOf, queueChecks, queueColumns, reference, time } from './columns.ts';

export const hosts = ['local', 'github'] as const;
/** Whether a repository can be read; `removed`: the App is no longer installed on it. */
export const accesses = ['open', 'archived', 'suspended', 'removed', 'deleted'] as const;

/** A repository of a host. Ids identify, names change. */
export const repositories = pgTable(
  'repositories',
  {
    id: id(),
    host: text('host', { enum: hosts }).notNull(),
    /** The host's own numeric id. AME's own host counts by itself. */
    hostId: text('host_id').notNull(),
    installationId: text('installation_id'),
    owner: text('owner').notNull(),
    name: text('name').notNull(),
    defaultBranch: text('default_branch'),
    access: text('access', { enum: accesses }).notNull().default('open'),
    createdAt: time('created_at').notNull(),
    ...queueColumns(),
  },
  (t) => [
    check('repositories_host', oneOf(t.host, hosts)),
    check('repositories_access', oneOf(t.access, accesses)),
    check('repositories_installation', sql`(${t.host} = 'github') = (${t.installationId} is not null)`),
    ...queueChecks('repositories', t),
    uniqueIndex('repositories_host_id').on(t.host, t.hostId),
    // On the local host the name is the address of a push, so there it is one, whatever its case.
    uniqueIndex('repositories_local_name')
      .on(sql`lower(owner)`, sql`lower(name)`)
      .where(sql`host = 'local'`),
    index('repositories_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
  ],
);

/** Where each ref was when it was last seen. */
export const heads = pgTable(
  'heads',
  {
    repositoryId: reference('repository_id')
      .notNull()
      .references(() => repositories.id),
    ref: text('ref').notNull(),
    sha: text('sha').notNull(),
    seenAt: time('seen_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.repositoryId, t.ref] })],
);
