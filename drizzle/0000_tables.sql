CREATE SEQUENCE "public"."worker_numbers" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1 CYCLE;--> statement-breakpoint
CREATE TABLE "checks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "checks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"repository_id" bigint NOT NULL,
	"sha" text NOT NULL,
	"name" text NOT NULL,
	"run_id" bigint,
	"says" jsonb NOT NULL,
	"said" jsonb,
	"said_at" timestamp (3) with time zone,
	"host_check_id" text,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "checks_due_until_said" CHECK ("checks"."due_at" is not null or "checks"."said" is not distinct from "checks"."says"),
	CONSTRAINT "checks_claim_whole" CHECK (("checks"."claimed_until" is null) = ("checks"."claimed_by" is null))
);
--> statement-breakpoint
CREATE TABLE "artifacts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "artifacts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"attempt_id" bigint NOT NULL,
	"path" text NOT NULL,
	"digest" text NOT NULL,
	"size" bigint NOT NULL,
	"mode" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "blob_refs" (
	"repository_id" bigint NOT NULL,
	"digest" text NOT NULL,
	CONSTRAINT "blob_refs_repository_id_digest_pk" PRIMARY KEY("repository_id","digest")
);
--> statement-breakpoint
CREATE TABLE "blobs" (
	"digest" text PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_archives" (
	"attempt_id" bigint PRIMARY KEY NOT NULL,
	"digest" text NOT NULL,
	"bytes" bigint NOT NULL,
	"lines" bigint NOT NULL,
	"index" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_chunks" (
	"attempt_id" bigint NOT NULL,
	"seq" integer NOT NULL,
	"first_line" bigint NOT NULL,
	"offset" bigint NOT NULL,
	"length" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	"lines" jsonb NOT NULL,
	CONSTRAINT "log_chunks_attempt_id_seq_pk" PRIMARY KEY("attempt_id","seq"),
	CONSTRAINT "log_chunks_length" CHECK ("log_chunks"."length" = length("log_chunks"."bytes") and "log_chunks"."length" <= 262144)
);
--> statement-breakpoint
CREATE TABLE "snapshots" (
	"repository_id" bigint NOT NULL,
	"digest" text NOT NULL,
	"attempt_id" bigint,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "snapshots_repository_id_digest_pk" PRIMARY KEY("repository_id","digest")
);
--> statement-breakpoint
CREATE TABLE "source_objects" (
	"repository_id" bigint NOT NULL,
	"oid" text NOT NULL,
	"digest" text NOT NULL,
	CONSTRAINT "source_objects_repository_id_oid_pk" PRIMARY KEY("repository_id","oid")
);
--> statement-breakpoint
CREATE TABLE "decisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "decisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"delivery_id" text,
	"project_id" bigint,
	"repository_id" bigint,
	"commit" text,
	"trigger" text NOT NULL,
	"task" text,
	"outcome" text NOT NULL,
	"rule" text NOT NULL,
	"line" integer,
	"message" text NOT NULL,
	"remedy" text,
	"run_id" bigint,
	"decided_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "decisions_outcome" CHECK ("decisions"."outcome" in ('run', 'no_run', 'problems')),
	CONSTRAINT "decisions_run" CHECK (("decisions"."outcome" = 'run') = ("decisions"."run_id" is not null))
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"event" text NOT NULL,
	"body" "bytea" NOT NULL,
	"repository_id" bigint,
	"ref" text,
	"before" text,
	"after" text,
	"received_at" timestamp (3) with time zone NOT NULL,
	"outcome" text,
	"decided_at" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "deliveries_outcome" CHECK ("deliveries"."outcome" is null or "deliveries"."outcome" in ('decided', 'ignored')),
	CONSTRAINT "deliveries_decided_whole" CHECK (("deliveries"."outcome" is null) = ("deliveries"."decided_at" is null)),
	CONSTRAINT "deliveries_due_until_decided" CHECK (("deliveries"."due_at" is null) = ("deliveries"."decided_at" is not null)),
	CONSTRAINT "deliveries_claim_whole" CHECK (("deliveries"."claimed_until" is null) = ("deliveries"."claimed_by" is null))
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "projects_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"repository_id" bigint NOT NULL,
	"path" text NOT NULL,
	"name" text NOT NULL,
	"revision_id" bigint,
	"last_number" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "revisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "revisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"project_id" bigint NOT NULL,
	"commit" text NOT NULL,
	"file_digest" text NOT NULL,
	"project" jsonb,
	"problems" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "revisions_read_or_wrong" CHECK (("revisions"."project" is null) = jsonb_path_exists("revisions"."problems", '$[*] ? (@.severity == "error")'))
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "schedules_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"project_id" bigint NOT NULL,
	"name" text NOT NULL,
	"task" text NOT NULL,
	"cron" text NOT NULL,
	"zone" text NOT NULL,
	"catchup" text NOT NULL,
	"overlap" text NOT NULL,
	"next_tick_at" timestamp (3) with time zone,
	"paused" boolean DEFAULT false NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "schedules_claim_whole" CHECK (("schedules"."claimed_until" is null) = ("schedules"."claimed_by" is null))
);
--> statement-breakpoint
CREATE TABLE "secrets" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "secrets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"project_id" bigint NOT NULL,
	"name" text NOT NULL,
	"ciphertext" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "heads" (
	"repository_id" bigint NOT NULL,
	"ref" text NOT NULL,
	"sha" text NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "heads_repository_id_ref_pk" PRIMARY KEY("repository_id","ref")
);
--> statement-breakpoint
CREATE TABLE "repositories" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "repositories_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"host" text NOT NULL,
	"host_id" text NOT NULL,
	"installation_id" text,
	"owner" text NOT NULL,
	"name" text NOT NULL,
	"default_branch" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "repositories_host" CHECK ("repositories"."host" in ('local', 'github')),
	CONSTRAINT "repositories_installation" CHECK (("repositories"."host" = 'github') = ("repositories"."installation_id" is not null)),
	CONSTRAINT "repositories_claim_whole" CHECK (("repositories"."claimed_until" is null) = ("repositories"."claimed_by" is null))
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"task" text NOT NULL,
	"position" integer NOT NULL,
	"number" integer NOT NULL,
	"state" text NOT NULL,
	"class" text,
	"reason" text,
	"exit_code" integer,
	"signal" text,
	"host" text,
	"resources" jsonb,
	"peak_memory_bytes" bigint,
	"not_before" timestamp (3) with time zone,
	"stop_reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ready_at" timestamp (3) with time zone,
	"queued_at" timestamp (3) with time zone,
	"prepared_from" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"stored_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"said_started_at" timestamp (3) with time zone,
	"report" jsonb,
	"output" text,
	"reused_from" bigint,
	CONSTRAINT "attempts_state" CHECK ("attempts"."state" in ('waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),
	CONSTRAINT "attempts_class" CHECK ("attempts"."class" is null or "attempts"."class" in ('succeeded', 'exit', 'command_not_found', 'not_executable', 'signal', 'out_of_memory', 'timeout', 'queue_timeout', 'deadline', 'cancelled', 'superseded', 'conflict', 'secret_missing', 'content_refused', 'restore_failed', 'store_failed', 'start_failed', 'lost', 'skipped')),
	CONSTRAINT "attempts_final_finished" CHECK (("attempts"."state" in ('succeeded', 'failed', 'cancelled', 'skipped')) = ("attempts"."finished_at" is not null)),
	CONSTRAINT "attempts_final_class" CHECK (("attempts"."finished_at" is null) = ("attempts"."class" is null)),
	CONSTRAINT "attempts_number" CHECK ("attempts"."number" >= 1)
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"project_id" bigint NOT NULL,
	"number" integer NOT NULL,
	"task" text NOT NULL,
	"commit" text NOT NULL,
	"ref" text NOT NULL,
	"trigger" text NOT NULL,
	"cause_key" text NOT NULL,
	"retry_of" bigint,
	"delivery_id" text,
	"trust" text NOT NULL,
	"plan" jsonb NOT NULL,
	"plan_digest" text NOT NULL,
	"concurrency_group" text NOT NULL,
	"when_busy" text NOT NULL,
	"state" text NOT NULL,
	"class" text,
	"reason" text,
	"version" integer DEFAULT 0 NOT NULL,
	"cancel_requested_at" timestamp (3) with time zone,
	"cancel_reason" text,
	"cancel_cause" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"postponed" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "runs_state" CHECK ("runs"."state" in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),
	CONSTRAINT "runs_trigger" CHECK ("runs"."trigger" in ('push', 'pull_request', 'tick', 'request', 'retry')),
	CONSTRAINT "runs_final_finished" CHECK (("runs"."state" in ('succeeded', 'failed', 'cancelled', 'skipped')) = ("runs"."finished_at" is not null)),
	CONSTRAINT "runs_due_until_final" CHECK ("runs"."due_at" is not null or "runs"."finished_at" is not null),
	CONSTRAINT "runs_class" CHECK ("runs"."class" is null or "runs"."class" in ('succeeded', 'exit', 'command_not_found', 'not_executable', 'signal', 'out_of_memory', 'timeout', 'queue_timeout', 'deadline', 'cancelled', 'superseded', 'conflict', 'secret_missing', 'content_refused', 'restore_failed', 'store_failed', 'start_failed', 'lost', 'skipped')),
	CONSTRAINT "runs_final_class" CHECK ("runs"."finished_at" is null or "runs"."class" is not null),
	CONSTRAINT "runs_cancel_whole" CHECK (("runs"."cancel_requested_at" is null) = ("runs"."cancel_reason" is null)),
	CONSTRAINT "runs_retry" CHECK (("runs"."trigger" = 'retry') = ("runs"."retry_of" is not null)),
	CONSTRAINT "runs_claim_whole" CHECK (("runs"."claimed_until" is null) = ("runs"."claimed_by" is null))
);
--> statement-breakpoint
CREATE TABLE "transitions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "transitions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"attempt_id" bigint,
	"from" text,
	"to" text NOT NULL,
	"cause" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "checks" ADD CONSTRAINT "checks_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "checks" ADD CONSTRAINT "checks_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artifacts" ADD CONSTRAINT "artifacts_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artifacts" ADD CONSTRAINT "artifacts_digest_blobs_digest_fk" FOREIGN KEY ("digest") REFERENCES "public"."blobs"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "blob_refs" ADD CONSTRAINT "blob_refs_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "blob_refs" ADD CONSTRAINT "blob_refs_digest_blobs_digest_fk" FOREIGN KEY ("digest") REFERENCES "public"."blobs"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "log_archives" ADD CONSTRAINT "log_archives_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "log_archives" ADD CONSTRAINT "log_archives_digest_blobs_digest_fk" FOREIGN KEY ("digest") REFERENCES "public"."blobs"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "log_chunks" ADD CONSTRAINT "log_chunks_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_digest_blobs_digest_fk" FOREIGN KEY ("digest") REFERENCES "public"."blobs"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "source_objects" ADD CONSTRAINT "source_objects_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "source_objects" ADD CONSTRAINT "source_objects_digest_blobs_digest_fk" FOREIGN KEY ("digest") REFERENCES "public"."blobs"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "revisions" ADD CONSTRAINT "revisions_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secrets" ADD CONSTRAINT "secrets_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "heads" ADD CONSTRAINT "heads_repository_id_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transitions" ADD CONSTRAINT "transitions_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transitions" ADD CONSTRAINT "transitions_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "checks_place" ON "checks" USING btree ("repository_id","sha","name") WHERE run_id is null;--> statement-breakpoint
CREATE UNIQUE INDEX "checks_run" ON "checks" USING btree ("run_id") WHERE run_id is not null;--> statement-breakpoint
CREATE INDEX "checks_due" ON "checks" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "artifacts_path" ON "artifacts" USING btree ("attempt_id","path");--> statement-breakpoint
CREATE INDEX "log_chunks_offset" ON "log_chunks" USING btree ("attempt_id","offset");--> statement-breakpoint
CREATE INDEX "decisions_delivery" ON "decisions" USING btree ("delivery_id");--> statement-breakpoint
CREATE INDEX "decisions_run_id" ON "decisions" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "decisions_commit" ON "decisions" USING btree ("commit");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "deliveries_received" ON "deliveries" USING btree ("received_at","id");--> statement-breakpoint
CREATE INDEX "deliveries_after" ON "deliveries" USING btree ("after");--> statement-breakpoint
CREATE UNIQUE INDEX "projects_place" ON "projects" USING btree ("repository_id","path");--> statement-breakpoint
CREATE INDEX "projects_name" ON "projects" USING btree ("name");--> statement-breakpoint
CREATE UNIQUE INDEX "revisions_commit" ON "revisions" USING btree ("project_id","commit");--> statement-breakpoint
CREATE UNIQUE INDEX "schedules_name" ON "schedules" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "schedules_due" ON "schedules" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "secrets_name" ON "secrets" USING btree ("project_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "repositories_host_id" ON "repositories" USING btree ("host","host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "repositories_local_name" ON "repositories" USING btree (lower(owner),lower(name)) WHERE host = 'local';--> statement-breakpoint
CREATE INDEX "repositories_due" ON "repositories" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_number_once" ON "attempts" USING btree ("run_id","task","number");--> statement-breakpoint
CREATE INDEX "attempts_active" ON "attempts" USING btree ("run_id") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "attempts_running" ON "attempts" USING btree ("host") WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "runs_cause" ON "runs" USING btree ("project_id","cause_key");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_number" ON "runs" USING btree ("project_id","number");--> statement-breakpoint
CREATE INDEX "runs_due" ON "runs" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "runs_group" ON "runs" USING btree ("concurrency_group") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "runs_created" ON "runs" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "runs_commit" ON "runs" USING btree ("commit");--> statement-breakpoint
CREATE INDEX "transitions_run" ON "transitions" USING btree ("run_id","id");