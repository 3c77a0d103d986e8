CREATE TABLE "identity" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" text NOT NULL,
	CONSTRAINT "identity_only" CHECK ("identity"."only")
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "seen_at" timestamp (3) with time zone;--> statement-breakpoint
INSERT INTO "identity" ("id") SELECT CASE WHEN EXISTS (SELECT FROM "repositories") THEN '' ELSE gen_random_uuid()::text END;
