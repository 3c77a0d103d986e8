ALTER TABLE "schedules" ADD COLUMN "removed_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "runs_retries" ON "runs" USING btree ("retry_of","id") WHERE retry_of is not null;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_removed_paused" CHECK ("schedules"."removed_at" is null or "schedules"."paused");