import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { bytes, id, json, oneOf, queueChecks, queueColumns, time } from './columns.ts';

/** The GitHub App that this server is: made by `/setup`, or named by the environment, whose key then stays there. */
export const githubApps = pgTable(
  'github_apps',
  {
    id: id(),
    /** GitHub's own numeric id. */
    appId: text('app_id').notNull(),
    slug: text('slug'),
    /** Both encrypted, and null where the environment gives them. */
    privateKey: bytes('private_key'),
    webhookSecret: bytes('webhook_secret'),
    keyId: text('key_id'),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
    /** What GitHub sent before is here, or was asked for again. */
    sweptUntil: time('swept_until'),
    ...queueColumns(),
  },
  (t) => [
    check('github_apps_id', sql`${t.appId} ~ '^[1-9][0-9]*$'`),
    check('github_apps_secrets_whole', sql`(${t.privateKey} is null) = (${t.webhookSecret} is null)`),
    check('github_apps_key_named', sql`(${t.privateKey} is null) = (${t.keyId} is null)`),
    ...queueChecks('github_apps', t),
    uniqueIndex('github_apps_app_id').on(t.appId),
    index('github_apps_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
  ],
);

export const accountTypes = ['Organization', 'User'] as const;

/** An account that has installed the App, on all or some of its repositories. Ids identify, logins change. */
export const installations = pgTable(
  'installations',
  {
    id: id(),
    /** GitHub's own numeric id. */
    hostId: text('host_id').notNull(),
    accountId: text('account_id').notNull(),
    account: text('account').notNull(),
    accountType: text('account_type', { enum: accountTypes }).notNull(),
    permissions: json('permissions').$type<Readonly<Record<string, string>>>().notNull(),
    suspendedAt: time('suspended_at'),
    removedAt: time('removed_at'),
    createdAt: time('created_at').notNull(),
    ...queueColumns(),
  },
  (t) => [
    check('installations_account_type', oneOf(t.accountType, accountTypes)),
    // One that is gone is not asked any more; one that is there always is, sooner or later.
    check('installations_due_until_removed', sql`(${t.dueAt} is null) = (${t.removedAt} is not null)`),
    ...queueChecks('installations', t),
    uniqueIndex('installations_host_id').on(t.hostId),
    index('installations_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
  ],
);
