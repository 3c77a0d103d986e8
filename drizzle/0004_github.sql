CREATE TABLE "github_apps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "github_apps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"app_id" text NOT NULL,
	"slug" text,
	"private_key" "bytea",
	"webhook_secret" "bytea",
	"key_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"swept_until" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "github_apps_id" CHECK ("github_apps"."app_id" ~ '^[1-9][0-9]*$'),
	CONSTRAINT "github_apps_secrets_whole" CHECK (("github_apps"."private_key" is null) = ("github_apps"."webhook_secret" is null)),
	CONSTRAINT "github_apps_key_named" CHECK (("github_apps"."private_key" is null) = ("github_apps"."key_id" is null)),
	CONSTRAINT "github_apps_claim_whole" CHECK (("github_apps"."claimed_until" is null) = ("github_apps"."claimed_by" is null)),
	CONSTRAINT "github_apps_claim_due" CHECK ("github_apps"."claimed_by" is null or "github_apps"."due_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "installations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "installations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"host_id" text NOT NULL,
	"account_id" text NOT NULL,
	"account" text NOT NULL,
	"account_type" text NOT NULL,
	"permissions" jsonb NOT NULL,
	"suspended_at" timestamp (3) with time zone,
	"removed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "installations_account_type" CHECK ("installations"."account_type" in ('Organization', 'User')),
	CONSTRAINT "installations_due_until_removed" CHECK (("installations"."due_at" is null) = ("installations"."removed_at" is not null)),
	CONSTRAINT "installations_claim_whole" CHECK (("installations"."claimed_until" is null) = ("installations"."claimed_by" is null)),
	CONSTRAINT "installations_claim_due" CHECK ("installations"."claimed_by" is null or "installations"."due_at" is not null)
);
--> statement-breakpoint
ALTER TABLE "checks" ADD COLUMN "sending_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "checks" ADD COLUMN "annotations_said" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "checks" ADD COLUMN "updates" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "action" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "installation_id" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "pull_request" integer;--> statement-breakpoint
ALTER TABLE "secrets" ADD COLUMN "account_id" text;--> statement-breakpoint
ALTER TABLE "repositories" ADD COLUMN "access" text DEFAULT 'open' NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "requested_by" text;--> statement-breakpoint
CREATE INDEX "github_apps_claimed" ON "github_apps" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "github_apps_app_id" ON "github_apps" USING btree ("app_id");--> statement-breakpoint
CREATE INDEX "github_apps_due" ON "github_apps" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "installations_claimed" ON "installations" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "installations_host_id" ON "installations" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "installations_due" ON "installations" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_access" CHECK ("repositories"."access" in ('open', 'archived', 'suspended', 'removed', 'deleted'));