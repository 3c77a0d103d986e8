-- Only a change of what a check says can take a verdict back. Looking on every update locked the run with each claim of
-- its check, so that the runs' own claim passed a new run by until its next poll (measured: up to 1.2 s).
drop trigger checks_verdict_stays on checks;
--> statement-breakpoint
create trigger checks_verdict_stays before update on checks
  for each row when (old.run_id is not null
    and (new.run_id is distinct from old.run_id
      or (new.says is distinct from old.says
        and (new.says ->> 'status' is distinct from 'completed' or new.says ->> 'conclusion' is null))))
  execute function refuse_lost_verdict();
