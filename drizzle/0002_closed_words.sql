ALTER TABLE "projects" ADD CONSTRAINT "projects_revision_id_revisions_id_fk" FOREIGN KEY ("revision_id") REFERENCES "public"."revisions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_reused_from_attempts_id_fk" FOREIGN KEY ("reused_from") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_retry_of_runs_id_fk" FOREIGN KEY ("retry_of") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "checks_claimed" ON "checks" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "deliveries_claimed" ON "deliveries" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "schedules_claimed" ON "schedules" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "repositories_claimed" ON "repositories" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "runs_claimed" ON "runs" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
ALTER TABLE "checks" ADD CONSTRAINT "checks_claim_due" CHECK ("checks"."claimed_by" is null or "checks"."due_at" is not null);--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_host" CHECK ("deliveries"."host" in ('local', 'github'));--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_claim_due" CHECK ("deliveries"."claimed_by" is null or "deliveries"."due_at" is not null);--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_catchup" CHECK ("schedules"."catchup" in ('none', 'last', 'all'));--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_overlap" CHECK ("schedules"."overlap" in ('skip', 'queue', 'allow'));--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_claim_due" CHECK ("schedules"."claimed_by" is null or "schedules"."due_at" is not null);--> statement-breakpoint
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_claim_due" CHECK ("repositories"."claimed_by" is null or "repositories"."due_at" is not null);--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_stop_reason" CHECK ("attempts"."stop_reason" is null or "attempts"."stop_reason" in ('cancel', 'superseded', 'timeout', 'queue_timeout', 'deadline'));--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_trust" CHECK ("runs"."trust" in ('trusted', 'fork'));--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_when_busy" CHECK ("runs"."when_busy" in ('allow', 'queue', 'cancel'));--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_cancel_reason" CHECK ("runs"."cancel_reason" is null or "runs"."cancel_reason" in ('cancel', 'superseded'));--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_number_counts" CHECK ("runs"."number" >= 1);--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_claim_due" CHECK ("runs"."claimed_by" is null or "runs"."due_at" is not null);