ALTER TABLE "decisions" ADD COLUMN "schedule" text;--> statement-breakpoint
ALTER TABLE "decisions" ADD COLUMN "tick_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "decisions" ADD COLUMN "ticks" integer;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "line" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "last_tick_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "paused_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "held_reason" text;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "held_since" timestamp (3) with time zone;--> statement-breakpoint
-- Those that are there do not tick yet: each is looked at now, and finds its next tick.
UPDATE "schedules" SET "due_at" = now() WHERE NOT "paused";--> statement-breakpoint
UPDATE "schedules" SET "paused_at" = now() WHERE "paused";--> statement-breakpoint
CREATE INDEX "decisions_schedule" ON "decisions" USING btree ("project_id","schedule","id") WHERE schedule is not null;--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_tick" CHECK (("decisions"."tick_at" is null) = ("decisions"."ticks" is null));--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_due_unless_paused" CHECK ("schedules"."paused" = ("schedules"."due_at" is null));--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_paused_no_next" CHECK (not "schedules"."paused" or "schedules"."next_tick_at" is null);--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_paused_whole" CHECK ("schedules"."paused" = ("schedules"."paused_at" is not null));--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_held_whole" CHECK (("schedules"."held_reason" is null) = ("schedules"."held_since" is null));