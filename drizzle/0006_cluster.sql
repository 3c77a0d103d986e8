CREATE TABLE "learned_memory" (
	"project_id" bigint NOT NULL,
	"task" text NOT NULL,
	"bytes" bigint NOT NULL,
	"asked" text NOT NULL,
	"learned_at" timestamp (3) with time zone NOT NULL,
	"attempt_id" bigint NOT NULL,
	CONSTRAINT "learned_memory_project_id_task_pk" PRIMARY KEY("project_id","task"),
	CONSTRAINT "learned_memory_some" CHECK ("learned_memory"."bytes" > 0)
);
--> statement-breakpoint
ALTER TABLE "attempts" DROP CONSTRAINT "attempts_class";--> statement-breakpoint
ALTER TABLE "runs" DROP CONSTRAINT "runs_class";--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "bytes" bigint;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "cpu_seconds" real;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "pending_why" text;--> statement-breakpoint
ALTER TABLE "learned_memory" ADD CONSTRAINT "learned_memory_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "learned_memory" ADD CONSTRAINT "learned_memory_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_class" CHECK ("attempts"."class" is null or "attempts"."class" in ('succeeded', 'exit', 'command_not_found', 'not_executable', 'signal', 'out_of_memory', 'timeout', 'queue_timeout', 'deadline', 'cancelled', 'superseded', 'conflict', 'secret_missing', 'content_refused', 'restore_failed', 'store_failed', 'start_failed', 'lost', 'storage_full', 'evicted', 'preempted', 'drained', 'deleted', 'node_lost', 'node_out_of_memory', 'image_missing', 'image_refused', 'image_unreachable', 'image_broken', 'no_shell', 'unschedulable', 'quota', 'admission_refused', 'bad_config', 'agent_out_of_memory', 'agent_failed', 'door_unreachable', 'skipped'));--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_class" CHECK ("runs"."class" is null or "runs"."class" in ('succeeded', 'exit', 'command_not_found', 'not_executable', 'signal', 'out_of_memory', 'timeout', 'queue_timeout', 'deadline', 'cancelled', 'superseded', 'conflict', 'secret_missing', 'content_refused', 'restore_failed', 'store_failed', 'start_failed', 'lost', 'storage_full', 'evicted', 'preempted', 'drained', 'deleted', 'node_lost', 'node_out_of_memory', 'image_missing', 'image_refused', 'image_unreachable', 'image_broken', 'no_shell', 'unschedulable', 'quota', 'admission_refused', 'bad_config', 'agent_out_of_memory', 'agent_failed', 'door_unreachable', 'skipped'));